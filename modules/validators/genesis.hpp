// The module's part of the genesis state.
#pragma once

#include <string_view>

#include "modules/validators/api.hpp"

namespace tally::validators {

// The set is one that check() accepts. The first epoch is 1 and begins with block 1.
inline void write_genesis(Overlay& state, const Config& config, const ValidatorSet& set,
                          std::string_view chain_id) {
  const Hash beacon = genesis_beacon(chain_id);
  kConfig.put(state, config);
  kSet.put(state, set);
  kBeacon.put(state, beacon);
  kEpoch.put(state, EpochInfo{Epoch(1), BlockNumber(1), beacon});
}

}  // namespace tally::validators
