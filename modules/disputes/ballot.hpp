// The hashes of a vote.
//
//   commitment     blake2_256("tallystick/dispute-commit/v1" ‖ dispute u64 ‖ verifier ‖ SCALE(vote)
//                  ‖ 32-byte salt)
//   failed output  blake2_256("tallystick/task-failed/v1")
//
// The verifier's account is in the commitment, so that a copy of another's cannot be revealed.
#pragma once

#include "modules/disputes/types.hpp"

namespace tally::disputes {

struct Ballot {
  DisputeNumber number;
  AccountId verifier;
  Vote vote;
  Salt salt{};
  friend bool operator==(const Ballot&, const Ballot&) = default;
};
TALLY_DESCRIBE(Ballot, number, verifier, vote, salt);

Hash commitment_of(const Ballot& ballot);

// What a verifier votes for as output of a task that the executors refuse: a spec outside of its
// limits, an input that does not fit it. A worker that signed a receipt for one loses.
const Hash& failed_output_hash();

}  // namespace tally::disputes
