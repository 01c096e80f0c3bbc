// Parameters of blocks.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::system {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::system;

  DurationMs min_block_interval;
  DurationMs idle_interval;  // an empty block at least this often
  Weight block_weight;
  std::uint8_t operational_percent{};   // of weight and bytes, kept for operational calls
  std::uint32_t block_bytes_max{};      // sum of the extrinsics' lengths
  std::uint32_t extrinsic_bytes_max{};  // length prefix included
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, min_block_interval, idle_interval, block_weight, operational_percent,
               block_bytes_max, extrinsic_bytes_max);

}  // namespace tally::system
