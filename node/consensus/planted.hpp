// Faults that the simulator must be able to find, planted in a library of its own.
//
// Only the target tally_consensus_faulty defines TALLY_PLANTED_FAULTS and only tally-sim-faults
// links it. Everywhere else planted() is a constant false and the faults are not in the program.
#pragma once

#include <cstdint>

namespace tally::consensus {

enum class Fault : std::uint8_t {
  none,
  skip_nullifications,  // build on the floor, and accept that, whatever views it skips
  certify_without_notarization,
  forget_own_votes,       // at a restart
  nullify_then_finalize,  // in one view
  partial_extrinsic,      // applied by the simulator's application
  commit_filler,          // of an epoch that is over
  next_epochs_set,        // the set of epoch e + 1 decides in e + 2
  old_epoch_proof,        // one that the first epoch's set signed is taken for any epoch's
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

}  // namespace tally::consensus
