// Parameters of epochs.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/codec/scale.hpp"

namespace tally::validators {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::validators;

  std::uint32_t epoch_length{};  // blocks
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, epoch_length);

}  // namespace tally::validators
