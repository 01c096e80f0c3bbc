// The module's part of the genesis state: its parameters and the attesters. No checkpoint is
// recorded.
#pragma once

#include "modules/storage_registry/storage.hpp"

namespace tally::storage_registry {

inline void write_genesis(Overlay& state, const Config& config, const Attesters& attesters) {
  kConfig.put(state, config);
  if (!attesters.empty()) kAttesters.put(state, attesters);
}

}  // namespace tally::storage_registry
