#include "modules/validators/genesis.hpp"

#include "modules/validators/stake.hpp"
#include "primitives/assert.hpp"

namespace tally::validators {

void write_genesis(Overlay& state, const Config& config, const ValidatorSet& set,
                   std::string_view chain_id) {
  const Hash beacon = genesis_beacon(chain_id);
  kConfig.put(state, config);
  kBeacon.put(state, beacon);
  kEpoch.put(state, EpochInfo{Epoch(1), BlockNumber(1), beacon});
  kSets.put(state, Epoch(1), EpochSet{set, TimestampMs(0)});
  kSets.put(state, Epoch(2), EpochSet{set, TimestampMs(0)});
  kOldestSet.put(state, Epoch(1));

  BoundedVec<AccountId, kMaxCandidates> list;
  Balance bound;
  for (const Validator& validator : set.members) {
    Candidate candidate;
    candidate.consensus_key = validator.consensus_key;
    candidate.vrf_key = validator.vrf_key;
    candidate.last_named = Epoch(2);
    candidate.bonded = genesis_bond(validator);
    kCandidates.put(state, validator.account, candidate);
    kConsensusKeys.put(state, validator.consensus_key, validator.account);
    kVrfKeys.put(state, validator.vrf_key, validator.account);
    const bool room = insert_account(list, validator.account);
    TALLY_ASSERT(room);
    bound = plus(bound, candidate.bonded);
  }
  kCandidateList.put(state, list);
  kBound.put(state, bound);
}

}  // namespace tally::validators
