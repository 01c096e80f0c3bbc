// Private to the module: who is named into the next set.
#pragma once

#include "modules/validators/api.hpp"

namespace tally::validators {

// The record of an epoch whose set is kept.
EpochSet epoch_set(const StateReader& state, Epoch epoch);
// Whether what the set's members had bound may have left.
bool evidence_is_late(const EpochSet& set, const Config& config, TimestampMs now);

// Whether a set may name it.
bool nameable(const Candidate& candidate, const Config& config);
// Whether a set could name anybody besides this account.
bool another_nameable(const StateReader& state, const Config& config, const AccountId& account);

// The validators_max nameable candidates with the highest stake, highest first; among equals the
// smaller account. Where there is none, the set of the epoch before serves again: a chain without a
// set would be over.
struct Named {
  Epoch epoch;
  ValidatorSet set;
  bool carried_over{};
};
Named name_set(Context& ctx, Epoch epoch);

}  // namespace tally::validators
