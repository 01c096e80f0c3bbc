// A worker's reputation, in whole points from 0 to 1000, and what it is made of.
//
//   reputation   = ⌊1000 · accuracy² · uptime · stake_weight⌋ − penalty, never below 0
//   accuracy     = (done + 1) / (done + failed + 2)
//   uptime       = slots with a heartbeat / slots, over the last kUptimeSlots whole slots since the
//                  first registration; 1 while there is none
//   stake_weight = min(1, 0.75 + log2(own bonded stake / minimum) / 16), never below 0
//
// The first three factors are multiplied as fractions, so that nothing is lost before the one
// rounding at the end; the weight is in billionths, rounded down.
//
// log2(n / d), rounded down to billionths:
//   n/d = 2^k · m with 1 ≤ m < 2; m is kept as ⌊m · 2^63⌋. Then, thirty-six times: square m; if the
//   square is 2 or more the next binary digit of the logarithm is 1 and m is halved, else it is 0.
//   A squaring doubles what the logarithm of m has lost and rounds another 2⁻⁶² off, while the
//   weight of its digit halves: in all less than 2⁻⁵⁶ is lost, and 2⁻³⁶ with the digits that are
//   left out, before the sum is rounded down to billionths.
#pragma once

#include <cstdint>

#include "modules/workers/config.hpp"
#include "modules/workers/types.hpp"

namespace tally::workers {

struct Ratio {
  Balance numerator;
  Balance denominator;
};
// Billionths; may be negative. Both above zero, and neither 2^32 times the other or more, else the
// bound ±32·10⁹ is returned.
std::int64_t log2_billionths(const Ratio& ratio);

// Billionths, 0 to 10⁹.
std::uint64_t stake_weight_billionths(Balance own, Balance minimum);

struct Fraction {
  std::uint64_t part{};
  std::uint64_t whole{};  // above zero
  friend bool operator==(const Fraction&, const Fraction&) = default;
};
Fraction uptime_of(const Uptime& uptime, std::uint64_t slot_now);
// Marks this slot's heartbeat. slot ≥ uptime.last_slot.
void mark_heartbeat(Uptime& uptime, std::uint64_t slot);

struct Standing {
  std::uint32_t done{};
  std::uint32_t failed{};
  Fraction uptime;
  std::uint64_t stake_weight{};  // billionths
  std::uint32_t penalty{};
};
std::uint32_t reputation_points(const Standing& standing);

}  // namespace tally::workers
