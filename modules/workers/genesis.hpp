// The module's part of the genesis state: its parameters and the council. No worker is registered.
#pragma once

#include "modules/workers/storage.hpp"

namespace tally::workers {

inline void write_genesis(Overlay& state, const Config& config, const Council& council) {
  kConfig.put(state, config);
  if (council != Council{}) kCouncil.put(state, council);
}

}  // namespace tally::workers
