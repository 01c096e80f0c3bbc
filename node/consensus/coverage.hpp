// Rare paths that simulated worlds must have gone through, counted.
//
// Like planted.hpp: only libraries with TALLY_PLANTED_FAULTS count. Everywhere else mark() is
// empty and nothing of this is in the program. The counts are those of the thread, which runs one
// world at a time; the world takes them at its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tally::consensus {

enum class Mark : std::uint8_t {
  notarization_after_nullification,  // of one view: both exist, the rarer order
  certified_after_own_nullify,
  finalized_late,         // Finalize for a view that was left
  notarized_other_block,  // than the one that this node voted for
  filler_stops_commit,
  epoch_proof_offered,  // as the ticket of the next epoch's first view
  epoch_proof_taken,
  restarted_within_view,  // with own votes in it
  log_behind_high_water,
  log_damaged,
  database_behind_votes,
  time_waited_for,
  time_refused,
  leader_equivocated,
  leader_silent,
  evidence_two_notarize,
  evidence_two_finalize,
  evidence_nullify_and_finalize,
  evidence_after_finality,
  evidence_from_certificate,
  // Adversaries: what each is there for.
  twin_proposal,
  finalize_beside_nullify,
  answer_withheld,
  proposal_withheld,
  proposal_never_made,
  vote_repeated,
  certificate_forged,
  frame_of_garbage,
  vote_invented,
  old_guard_proof,
  clock_at_the_edge,
  clock_far_ahead,
  clock_far_behind,
  time_of_the_parent,
  head_invented,
  range_tampered,
  range_stale_proof,
  range_wrong_epoch,
  body_replaced,
  // Disks and machines.
  crash_in_write,
  crash_of_all,
  log_bit_flipped,
  high_water_bit_flipped,
  database_bit_flipped,
  database_stop,
  disk_full,
  disk_slow,
  cpu_slow,
  clock_jump,
  count,
};
constexpr std::size_t kMarks = static_cast<std::size_t>(Mark::count);
using Marks = std::array<std::uint64_t, kMarks>;

constexpr std::array<std::string_view, kMarks> kMarkNames = {
    "notarization after nullification",
    "certified after own nullify",
    "finalized late",
    "another block notarized than voted for",
    "filler stops commit",
    "epoch proof offered as a ticket",
    "epoch proof taken",
    "restarted within a view",
    "vote log behind the high-water file",
    "vote log damaged",
    "database behind the votes",
    "proposal waited for its time",
    "header time refused",
    "leader equivocated",
    "leader found silent",
    "evidence: two Notarize",
    "evidence: two Finalize",
    "evidence: Nullify and Finalize",
    "evidence after finality",
    "evidence from a certificate",
    "adversary: twin proposal",
    "adversary: Finalize beside Nullify",
    "adversary: answer withheld",
    "adversary: proposal withheld",
    "adversary: never proposed",
    "adversary: vote repeated",
    "adversary: certificate forged",
    "adversary: garbage",
    "adversary: vote invented",
    "adversary: proof of an old set",
    "adversary: clock at the edge of the drift",
    "adversary: clock far ahead",
    "adversary: clock far behind",
    "adversary: time at or below the parent's",
    "adversary: head invented",
    "adversary: range tampered with",
    "adversary: range with a stale proof",
    "adversary: range with another epoch's proof",
    "adversary: body replaced",
    "crash in a write",
    "crash of all",
    "bit of the vote log flipped",
    "bit of the high-water file flipped",
    "bit of the database flipped",
    "stopped at damage in the database",
    "disk full",
    "disk slow",
    "processor slow",
    "clock jumped",
};

#ifdef TALLY_PLANTED_FAULTS
inline thread_local Marks marks{};
inline void mark(Mark which) {
  marks[static_cast<std::size_t>(which)] += 1;
}
inline Marks take_marks() {
  const Marks out = marks;
  marks = {};
  return out;
}
#else
constexpr void mark(Mark) {}
constexpr Marks take_marks() {
  return {};
}
#endif

}  // namespace tally::consensus
