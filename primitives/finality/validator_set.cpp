#include "primitives/finality/validator_set.hpp"

#include <numeric>
#include <set>

#include "primitives/crypto/hash.hpp"

namespace tally {

Result<void, ValidatorSetError> ValidatorSet::check() const {
  if (members.empty()) return fail(ValidatorSetError::empty);
  std::uint64_t total = 0;
  std::set<Ed25519Key> keys;
  for (const Validator& member : members) {
    if (member.weight == 0) return fail(ValidatorSetError::zero_weight);
    if (member.weight >= kTotalWeightLimit - total) return fail(ValidatorSetError::too_heavy);
    total += member.weight;
    if (!keys.insert(member.consensus_key).second) return fail(ValidatorSetError::repeated_key);
  }
  return {};
}

std::optional<ValidatorIndex> ValidatorSet::find(const Ed25519Key& consensus_key) const {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].consensus_key == consensus_key) {
      return ValidatorIndex(static_cast<std::uint16_t>(i));
    }
  }
  return std::nullopt;
}

std::uint64_t ValidatorSet::total_weight() const {
  std::uint64_t total = 0;
  for (const Validator& member : members) total += member.weight;
  return total;
}

std::uint64_t ValidatorSet::quorum() const {
  return 2 * total_weight() / 3 + 1;
}

Hash epoch_seed(const EpochStart& start) {
  return blake2_256(
      {domain_tag("epoch-seed"), start.genesis_hash, encode(start.epoch), start.beacon});
}

namespace {

// Numbers below a bound, without bias, from a hash chain over the seed.
class Draw {
 public:
  explicit Draw(const Hash& seed) : seed_(seed) {}

  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % bound + 1) % bound;
    for (;;) {
      const std::uint64_t value = next();
      if (value <= limit) return value % bound;
    }
  }

 private:
  std::uint64_t next() {
    const Hash hash = blake2_256({domain_tag("leader-order"), seed_.view(), encode(counter_++)});
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{hash.bytes[i]} << (8 * i);
    return value;
  }

  Hash seed_;
  std::uint64_t counter_ = 0;
};

}  // namespace

LeaderSchedule::LeaderSchedule(const ValidatorSet& set, const Hash& randomness)
    : order_(set.size()), counters_(set.size(), 0) {
  TALLY_ASSERT(set.size() > 0);
  std::iota(order_.begin(), order_.end(), std::uint16_t{0});
  Draw draw(randomness);
  for (std::size_t i = order_.size() - 1; i > 0; --i) {
    std::swap(order_[i], order_[draw.below(i + 1)]);
  }
  for (const std::uint16_t member : order_) weights_.push_back(set.members[member].weight);
  total_ = static_cast<std::int64_t>(set.total_weight());
}

void LeaderSchedule::extend() {
  std::size_t best = 0;
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    counters_[i] += static_cast<std::int64_t>(weights_[i]);
    if (counters_[i] > counters_[best]) best = i;
  }
  counters_[best] -= total_;
  leaders_.push_back(order_[best]);
}

ValidatorIndex LeaderSchedule::leader(View view) {
  TALLY_ASSERT(view.value > 0);
  while (leaders_.size() < view.value) extend();
  return ValidatorIndex(leaders_[view.value - 1]);
}

}  // namespace tally
