// Faults that the simulator or a test of pitfalls must be able to find, planted in a library of its
// own.
//
// Only the target tally_consensus_faulty defines TALLY_PLANTED_FAULTS; only tally-sim-faults and
// tally-pitfalls-faulty link it. Everywhere else planted() is a constant false and the faults are
// not in the program.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace tally::consensus {

enum class Fault : std::uint8_t {
  none,
  skip_nullifications,  // build on the floor, and accept that, whatever views it skips
  certify_without_notarization,
  stop_certifying,     // a block of a view that was nullified here
  forget_own_votes,    // at a restart
  commit_filler,       // of an epoch that is over
  start_view_twice,    // by a late Notarization
  refuse_empty_block,  // at a restart
  rebroadcast_storm,   // votes of all views that are not final, to everybody
  any_leader,          // proposals of whoever signs them
  pending_is_invalid,
  any_height,              // of a block on its parent
  reset_timeouts,          // in every view
  first_block_only,        // of an equivocating leader is ever certified
  last_vote_only,          // in the high-water file
  timers_always,           // also while nothing is to be proposed
  silence_in_views,        // who says nothing in one view is silent
  nullify_then_finalize,   // in one view
  next_epochs_set,         // the set of epoch e + 1 decides in e + 2
  old_epoch_proof,         // one that the first epoch's set signed is taken for any epoch's
  unverified_epoch_proof,  // of the right epoch
  unverified_certificate,
  unverified_vote,    // by its signer's own link
  unsynced_votes,     // leave before the log and the high-water file are durable
  any_future,         // header times are not waited for
  any_past,           // header times may be below the parent's
  unchecked_bodies,   // blocks with other extrinsics than their header says
  accuse_legal_pair,  // Notarize and Nullify of one view
  guard_off,          // who starts signs at once
  no_reminder,        // nobody tells a validator that starts what it has signed
  any_part,           // of a state from peers is taken, whatever its hash
  any_epochs_end,     // the proof of the block whose state is taken is not checked
  any_snapshot_body,  // of that block
  no_retry,           // nothing is sent twice
  partial_extrinsic,  // applied by the simulator's application
  mint,               // by that application: what is received is more than what was sent
  own_state,          // of that application hangs on the node
};

#ifdef TALLY_PLANTED_FAULTS
constexpr std::pair<std::string_view, Fault> kFaultNames[] = {
    {"none", Fault::none},
    {"skip-nullifications", Fault::skip_nullifications},
    {"certify-without-notarization", Fault::certify_without_notarization},
    {"stop-certifying", Fault::stop_certifying},
    {"forget-own-votes", Fault::forget_own_votes},
    {"commit-filler", Fault::commit_filler},
    {"start-view-twice", Fault::start_view_twice},
    {"refuse-empty-block", Fault::refuse_empty_block},
    {"rebroadcast-storm", Fault::rebroadcast_storm},
    {"any-leader", Fault::any_leader},
    {"pending-is-invalid", Fault::pending_is_invalid},
    {"any-height", Fault::any_height},
    {"reset-timeouts", Fault::reset_timeouts},
    {"first-block-only", Fault::first_block_only},
    {"last-vote-only", Fault::last_vote_only},
    {"timers-always", Fault::timers_always},
    {"silence-in-views", Fault::silence_in_views},
    {"nullify-then-finalize", Fault::nullify_then_finalize},
    {"next-epochs-set", Fault::next_epochs_set},
    {"old-epoch-proof", Fault::old_epoch_proof},
    {"unverified-epoch-proof", Fault::unverified_epoch_proof},
    {"unverified-certificate", Fault::unverified_certificate},
    {"unverified-vote", Fault::unverified_vote},
    {"unsynced-votes", Fault::unsynced_votes},
    {"any-future", Fault::any_future},
    {"any-past", Fault::any_past},
    {"unchecked-bodies", Fault::unchecked_bodies},
    {"accuse-legal-pair", Fault::accuse_legal_pair},
    {"guard-off", Fault::guard_off},
    {"no-reminder", Fault::no_reminder},
    {"any-part", Fault::any_part},
    {"any-epochs-end", Fault::any_epochs_end},
    {"any-snapshot-body", Fault::any_snapshot_body},
    {"no-retry", Fault::no_retry},
    {"partial-extrinsic", Fault::partial_extrinsic},
    {"mint", Fault::mint},
    {"own-state", Fault::own_state},
};

inline Fault planted_fault = Fault::none;
inline bool planted(Fault fault) {
  return planted_fault == fault;
}
// False if there is none of that name.
inline bool plant(std::string_view name) {
  for (const auto& [known, fault] : kFaultNames) {
    if (name != known) continue;
    planted_fault = fault;
    return true;
  }
  return false;
}
#else
constexpr bool planted(Fault) {
  return false;
}
#endif

}  // namespace tally::consensus
