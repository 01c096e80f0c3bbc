// Why a channel call is refused. Numbers are part of the wire and never reused.
//
// Order of precedence: of the reasons that hold the first in this list is reported, except that
// nothing_claimed comes before deadline_passed, a splice's amounts before their sum, funds last.
#pragma once

#include <cstdint>

#include "modules/support/error.hpp"

namespace tally::channels {

enum class Error : std::uint8_t {
  unknown_channel = 0,        // no channel with this id is pending, open or in challenge
  wrong_phase = 1,            // the channel's phase does not admit this call
  not_a_participant = 2,      // only A or B (of cancel: A, of accept: B) may call this
  deadline_passed = 3,        // too late: the standing state settles
  deadline_not_reached = 4,   // too early to settle
  refuted_in_this_block = 5,  // one refutation a channel a block
  nothing_claimed = 6,        // in a challenge, a claim must bring an update
  same_account = 7,           // opener and counterparty must differ
  period_out_of_range = 8,    // see the configuration
  deposit_too_small = 9,      // a channel must hold the configured minimum
  amount_out_of_range = 10,   // a deposit or delta of more than 2^100 µCC
  too_many_channels = 11,     // the opener's bound
  expired = 12,               // the consent or splice is past its valid_until
  wrong_sum = 13,             // the balances do not add up to what the channel holds
  version_not_above_floor = 14,
  version_not_above_standing = 15,
  acked_not_below_version = 16,  // no proposer holds a later state than the one it proposes
  fee_not_covered = 17,          // a splice must leave the side that gained its settlement fee
  bad_signature_a = 18,
  bad_signature_b = 19,
};
TALLY_DESCRIBE_ENUM(Error, unknown_channel, wrong_phase, not_a_participant, deadline_passed,
                    deadline_not_reached, refuted_in_this_block, nothing_claimed, same_account,
                    period_out_of_range, deposit_too_small, amount_out_of_range, too_many_channels,
                    expired, wrong_sum, version_not_above_floor, version_not_above_standing,
                    acked_not_below_version, fee_not_covered, bad_signature_a, bad_signature_b);

inline DispatchError reject(Error error) {
  return module_error(ModuleIndex::channels, error);
}

}  // namespace tally::channels
