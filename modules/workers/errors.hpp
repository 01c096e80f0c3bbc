// Why a workers call is refused. Numbers are part of the wire and never reused.
//
// Order of precedence: where several reasons hold, the one that comes first in this list is
// reported, except that a shortage of funds (credits' own errors) is always last.
#pragma once

#include <cstdint>

#include "modules/support/error.hpp"

namespace tally::workers {

enum class Error : std::uint8_t {
  not_in_council = 0,
  unknown_worker = 1,      // the account never registered as a worker
  not_registered = 2,      // it did, and has deregistered since
  already_registered = 3,  // change the profile with `update`, the stake with `top_up`
  banned = 4,              // a banned worker's stake stays, and it cannot register anew
  own_stake = 5,           // a worker stands in for itself by top_up, not by delegate
  zero_amount = 6,
  amount_out_of_range = 7,  // more than 2^100 µCC
  no_offers = 8,
  offers_not_ascending = 9,  // each type once, in order
  zero_units = 10,           // a price is for at least 1 unit
  endpoint_too_long = 11,
  stake_too_small = 12,   // own bonded stake would be below the minimum: deregister instead
  no_delegation = 13,     // the caller has delegated nothing to this worker
  not_that_much = 14,     // more than what is bonded
  delegation_small = 15,  // a delegation of less than the minimum, and more than nothing
  too_many_delegators = 16,
  too_many_unbonding = 17,   // withdraw what is due, or wait
  pool_full = 18,            // kMaxPool workers offer this type in this environment
  heartbeat_too_early = 19,  // one an interval
  nothing_to_withdraw = 20,
  already_approved = 21,
  too_many_motions = 22,  // kMaxMotions that this member began are open
};
TALLY_DESCRIBE_ENUM(Error, not_in_council, unknown_worker, not_registered, already_registered,
                    banned, own_stake, zero_amount, amount_out_of_range, no_offers,
                    offers_not_ascending, zero_units, endpoint_too_long, stake_too_small,
                    no_delegation, not_that_much, delegation_small, too_many_delegators,
                    too_many_unbonding, pool_full, heartbeat_too_early, nothing_to_withdraw,
                    already_approved, too_many_motions);

inline DispatchError reject(Error error) {
  return module_error(ModuleIndex::workers, error);
}

}  // namespace tally::workers
