// Types of the validators module.
#pragma once

#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::validators {

// The epoch that the next block belongs to.
struct EpochInfo {
  Epoch epoch;
  BlockNumber first_block;
  Hash randomness;  // the beacon when the epoch before it ended; orders the leaders
  friend bool operator==(const EpochInfo&, const EpochInfo&) = default;
};
TALLY_DESCRIBE(EpochInfo, epoch, first_block, randomness);

}  // namespace tally::validators
