// Parameters of epochs and of consensus.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::validators {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::validators;

  std::uint32_t epoch_length{};  // blocks
  DurationMs delta;              // Δ₀: bounds a message, a fetch of what it names, and execution
  DurationMs max_drift;          // how far ahead of a validator's clock a header time may be
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, epoch_length, delta, max_drift);

}  // namespace tally::validators
