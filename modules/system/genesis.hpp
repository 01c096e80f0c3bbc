// The module's part of the genesis state.
#pragma once

#include "modules/system/config.hpp"
#include "modules/system/storage.hpp"

namespace tally::system {

inline void write_genesis(Overlay& state, const Config& config, TimestampMs genesis_time) {
  kConfig.put(state, config);
  kNumber.put(state, BlockNumber(0));
  kHeaderTime.put(state, genesis_time);
  kChainTime.put(state, genesis_time);
}

}  // namespace tally::system
