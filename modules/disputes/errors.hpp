// Why a dispute's call is refused. Numbers are part of the wire and never reused.
//
// Order of precedence: where several reasons hold, the one that comes first in this list is
// reported, except that a shortage of funds (credits' own errors) is always last.
#pragma once

#include <cstdint>

#include "modules/support/error.hpp"

namespace tally::disputes {

enum class Error : std::uint8_t {
  // challenge
  other_chain = 0,          // the receipt was signed for another chain
  same_party = 1,           // worker, and requester or challenger, are one account
  not_entitled = 2,         // neither the receipt's requester nor the bearer of its valid mandate
  tolerant_type = 3,        // correct machines may differ on this type of task
  too_large = 4,            // spec, inline input, a location or the reason
  no_location = 5,          // an input that is not inline must be served somewhere
  wrong_spec = 6,           // its hash is not the receipt's
  wrong_input = 7,          // its hash is not the receipt's
  wrong_channel = 8,        // the receipt's channel is not one between its worker and requester
  amount_out_of_range = 9,  // a price or fee of more than 2^100 µCC
  bad_times = 10,           // the receipt ends before it starts, or in the future
  too_old = 11,             // the receipt's time to be challenged is over
  bad_signature = 12,       // the receipt is not what the worker signed
  not_a_worker = 13,        // it was never registered: there is no stake
  already_disputed = 14,    // a dispute on this receipt runs
  already_decided = 15,     // there was a verdict on this receipt
  already_tried = 16,       // this challenger had its try, or too many had
  pool_too_small = 17,      // too few verifiers can be drawn
  // accept, commit, reveal, appeal
  unknown_dispute = 18,   // no such dispute is known, or any more
  wrong_phase = 19,       // the dispute's phase does not admit this call
  not_drawn = 20,         // the caller holds no seat in this round
  deadline_passed = 21,   // too late
  wrong_seat_state = 22,  // accepted already; not accepted; committed already; revealed already
  banned = 23,            // a banned worker verifies nothing
  stake_too_small = 24,   // not enough own stake that is not frozen
  wrong_reveal = 25,      // vote and salt do not give the commitment
  not_the_loser = 26,     // only the side that lost may appeal
  panel_too_small = 27,   // fewer fresh verifiers are left than the verdict had seats
};
TALLY_DESCRIBE_ENUM(Error, other_chain, same_party, not_entitled, tolerant_type, too_large,
                    no_location, wrong_spec, wrong_input, wrong_channel, amount_out_of_range,
                    bad_times, too_old, bad_signature, not_a_worker, already_disputed,
                    already_decided, already_tried, pool_too_small, unknown_dispute, wrong_phase,
                    not_drawn, deadline_passed, wrong_seat_state, banned, stake_too_small,
                    wrong_reveal, not_the_loser, panel_too_small);

inline DispatchError reject(Error error) {
  return module_error(ModuleIndex::disputes, error);
}

}  // namespace tally::disputes
