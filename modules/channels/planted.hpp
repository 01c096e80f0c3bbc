// Faults that the channel simulator must be able to find, planted in a library of its own.
//
// Only the target tally_channels_faulty defines TALLY_PLANTED_FAULTS and only
// tally-channel-sim-faults links it. Everywhere else planted() is a constant false and the faults
// are not in the program.
#pragma once

#include <cstdint>

namespace tally::channels {

enum class Fault : std::uint8_t {
  none,
  any_sum,              // a state may say that the channel holds more or less than it does
  below_floor,          // a state of before a splice still counts
  plain_periods,        // a busy lane stretches nothing
  deadline_stays,       // a refutation leaves no time to answer it
  honest_lag_is_fraud,  // a payer that claims the newest it holds is called a cheater
  fraud_overlooked,     // one that countersigned something newer is not
  late_splice,          // after its last block
  pays_the_cheater,     // what a cheater forfeits goes back to it
};

#ifdef TALLY_PLANTED_FAULTS
inline Fault planted_fault = Fault::none;
inline bool planted(Fault fault) {
  return planted_fault == fault;
}
#else
constexpr bool planted(Fault) {
  return false;
}
#endif

}  // namespace tally::channels
