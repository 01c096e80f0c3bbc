// Events of the validators module.
#pragma once

#include <variant>

#include "modules/validators/types.hpp"

namespace tally::validators {

// The block with this event was the last of the epoch before.
struct EpochStarted {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "EpochStarted";
  Epoch epoch;
  Hash randomness;
  friend bool operator==(const EpochStarted&, const EpochStarted&) = default;
};
TALLY_DESCRIBE(EpochStarted, epoch, randomness);

using Event = std::variant<EpochStarted>;

}  // namespace tally::validators
