// Clock: the two times that the core may see. The core never reads a clock by itself: its driver
// reads one Moment for each thing that happens and passes it in.
#pragma once

#include <cstdint>

#include "primitives/ids.hpp"

namespace tally::ports {

// A point of the monotonic time of this process, in milliseconds since some fixed start. Timers.
TALLY_STRONG_INT(Instant, std::uint64_t);

constexpr Instant operator+(Instant at, DurationMs by) {
  return Instant(at.value + by.value);
}
// Zero when `from` is later.
constexpr DurationMs elapsed(Instant from, Instant to) {
  return DurationMs(to.value > from.value ? to.value - from.value : 0);
}

struct Moment {
  Instant instant;
  TimestampMs wall;  // what this machine believes the date to be; may jump
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Moment now() const = 0;
};

}  // namespace tally::ports
