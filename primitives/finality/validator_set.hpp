// The validators of one epoch, the weight that decides, and the order in which they lead.
//
// Weights are at least 1 and sum to W < 2^61; a quorum is ⌊2W/3⌋ + 1, so that two quorums share an
// honest validator while faulty weight stays below W/3.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "primitives/crypto/vrf.hpp"
#include "primitives/finality/vote.hpp"

namespace tally {

constexpr std::size_t kMaxValidators = 1'024;
constexpr std::uint64_t kTotalWeightLimit = std::uint64_t{1} << 61;  // exclusive

struct Validator {
  Ed25519Key consensus_key;
  VrfKey vrf_key;
  AccountId account;  // gets the proposer's share of fees, loses the bond
  std::uint64_t weight{};
  friend bool operator==(const Validator&, const Validator&) = default;
};
TALLY_DESCRIBE(Validator, consensus_key, vrf_key, account, weight);

enum class ValidatorSetError : std::uint8_t { empty, zero_weight, too_heavy, repeated_key };
TALLY_DESCRIBE_ENUM(ValidatorSetError, empty, zero_weight, too_heavy, repeated_key);

// An ordered list; every function here asks for one that check() accepted.
struct ValidatorSet {
  BoundedVec<Validator, kMaxValidators> members;

  Result<void, ValidatorSetError> check() const;
  std::size_t size() const { return members.size(); }
  const Validator& at(ValidatorIndex index) const { return members[index.value]; }
  bool contains(ValidatorIndex index) const { return index.value < members.size(); }
  std::optional<ValidatorIndex> find(const Ed25519Key& consensus_key) const;
  std::uint64_t total_weight() const;
  std::uint64_t quorum() const;  // the least weight that decides
  friend bool operator==(const ValidatorSet&, const ValidatorSet&) = default;
};
TALLY_DESCRIBE(ValidatorSet, members);

// What orders an epoch's leaders and enters the input of their VRF proofs. `beacon` is that of the
// last block of the epoch before (at first: of genesis).
struct EpochStart {
  Hash genesis_hash;
  Epoch epoch;
  Hash beacon;
};
Hash epoch_seed(const EpochStart& start);

// Who leads each view of an epoch: the members are put in order by a Fisher–Yates shuffle keyed
// with the epoch's randomness; then in each view every counter grows by its member's weight, the
// largest counter leads (ties: earlier in the order) and falls by W. The sequence is
// consensus-critical.
class LeaderSchedule {
 public:
  LeaderSchedule(const ValidatorSet& set, const Hash& randomness);
  // View 0 has no leader. Costs O(n) for each view beyond the furthest asked for so far.
  ValidatorIndex leader(View view);

 private:
  void extend();

  std::vector<std::uint16_t> order_;
  std::vector<std::uint64_t> weights_;  // in that order
  std::vector<std::int64_t>
      counters_;  // in that order; within (−W, W), as in every smooth round robin
  std::int64_t total_ = 0;
  std::vector<std::uint16_t> leaders_;  // of views 1, 2, …
};

}  // namespace tally
