// The rules of stake as pure transitions: a worker's record, or a delegation, and what happens to
// it in; what moves out. Nothing here reads or writes the state.
//
// A slash or a payment takes bonded stake first, then what unbonds soonest.
#pragma once

#include "modules/workers/types.hpp"

namespace tally::workers {

// a + b of amounts of one issuance: it cannot overflow.
Balance sum(Balance a, Balance b);
// a − b; b ≤ a.
Balance rest(Balance a, Balance b);

Balance total(const UnbondingList& parts);
// Bonded and unbonding.
Balance total(const Delegation& delegation);

// Whether there was room for it. `part.until` is not before the last one's.
[[nodiscard]] bool add_unbonding(UnbondingList& parts, const Unbonding& part);
// What is due at `now`, at most `limit`; taken out of the list.
Balance take_due(UnbondingList& parts, TimestampMs now, Balance limit);

// Lowers own stake; `amount` ≤ own(). Leaves frozen and slash_due to the caller.
void take_own(Worker& worker, Balance amount);
// Lowers a delegation; amount ≤ total. Returns the part that was bonded.
Balance take_delegated(Delegation& delegation, Balance amount);

// How much of `amount` could be frozen.
Balance freeze(Worker& worker, Balance amount);
// Lets go of `amount` ≤ frozen. Returns what a slash was owed of it and is taken from own stake
// now.
Balance thaw(Worker& worker, Balance amount);
// Takes `amount` ≤ frozen out of frozen and own stake.
void take_frozen(Worker& worker, Balance amount);

struct OwnSlash {
  Balance now;  // taken from own stake
  Balance due;  // of frozen stake, when it thaws
};
OwnSlash slash_own(Worker& worker, std::uint8_t percent);

struct DelegatedSlash {
  Balance all;     // taken from the delegation
  Balance bonded;  // the part of it that was bonded
};
DelegatedSlash slash_delegated(Delegation& delegation, std::uint8_t percent);

}  // namespace tally::workers
