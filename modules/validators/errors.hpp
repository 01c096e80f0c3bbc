// Why a validators call is refused. Numbers are part of the wire and never reused.
//
// Order of precedence: where several reasons hold, the one that comes first in this list is
// reported, except that a shortage of funds (credits' own errors) is always last.
#pragma once

#include <cstdint>

#include "modules/support/error.hpp"

namespace tally::validators {

enum class Error : std::uint8_t {
  unknown_validator = 0,  // the account has no bond
  already_bonded = 1,     // add to the bond with bond_more
  not_out = 2,            // only a validator that was down rejoins
  own_stake = 3,          // a validator stands in for itself by bond_more, not by delegate
  not_bonded = 4,         // a validator that leaves takes no delegations
  zero_amount = 5,
  amount_out_of_range = 6,  // more than 2^100 µCC
  bond_too_small = 7,       // the bond would be below the minimum: take all of it back instead
  no_delegation = 8,        // the caller has delegated nothing to this validator
  not_that_much = 9,        // more than what is bonded
  delegation_small = 10,    // a delegation of less than the minimum, and more than nothing
  last_validator = 11,      // nobody else could be named: the chain keeps its last validator
  too_many_candidates = 12,
  too_many_delegators = 13,
  too_many_unbonding = 14,  // withdraw what is due, or wait
  key_in_use = 15,          // a key serves one validator, and a convicted one nobody
  bad_consensus_proof = 16,
  bad_vrf_proof = 17,
  nothing_to_withdraw = 18,  // nothing is due yet
  // Of evidence:
  not_a_conflict = 19,    // an honest validator may sign both
  epoch_not_begun = 20,   // of an epoch that is still to come
  too_late = 21,          // the bonds of that epoch are no longer bound
  unknown_signer = 22,    // the epoch's set has no such member
  already_reported = 23,  // the same validator, epoch, view and kind
  nothing_bound = 24,     // what the signer had bonded then is gone
  bad_signature = 25,     // a vote that this chain's validator did not sign
};
TALLY_DESCRIBE_ENUM(Error, unknown_validator, already_bonded, not_out, own_stake, not_bonded,
                    zero_amount, amount_out_of_range, bond_too_small, no_delegation, not_that_much,
                    delegation_small, last_validator, too_many_candidates, too_many_delegators,
                    too_many_unbonding, key_in_use, bad_consensus_proof, bad_vrf_proof,
                    nothing_to_withdraw, not_a_conflict, epoch_not_begun, too_late, unknown_signer,
                    already_reported, nothing_bound, bad_signature);

inline DispatchError reject(Error error) {
  return module_error(ModuleIndex::validators, error);
}

}  // namespace tally::validators
