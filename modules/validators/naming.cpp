#include "modules/validators/naming.hpp"

#include <algorithm>

#include "primitives/assert.hpp"

namespace tally::validators {
namespace {

// kMaxValidators of these stay below kTotalWeightLimit.
constexpr std::uint64_t kWeightMax = std::uint64_t{1} << 50;

struct Ranked {
  AccountId account;
  Candidate candidate;
};

bool ranks_above(const Ranked& a, const Ranked& b) {
  const Balance stake_a = a.candidate.stake();
  const Balance stake_b = b.candidate.stake();
  return stake_a != stake_b ? stake_a > stake_b : a.account < b.account;
}

std::vector<Ranked> ranking(const StateReader& state, const Config& config) {
  std::vector<Ranked> out;
  for (const AccountId& account : kCandidateList.get(state)) {
    auto candidate = kCandidates.find(state, account);
    TALLY_ASSERT(candidate.has_value());
    if (nameable(*candidate, config)) out.push_back({account, *std::move(candidate)});
  }
  std::sort(out.begin(), out.end(), ranks_above);
  if (out.size() > config.validators_max) out.resize(config.validators_max);
  return out;
}

}  // namespace

std::uint64_t weight_of(Balance stake) {
  const u128 whole = stake.micro / kCredit.micro;
  return whole < kWeightMax ? static_cast<std::uint64_t>(whole) : kWeightMax;
}

bool nameable(const Candidate& candidate, const Config& config) {
  return candidate.standing == Standing::bonded && candidate.bonded >= config.bond_min;
}

bool another_nameable(const StateReader& state, const Config& config, const AccountId& account) {
  for (const AccountId& other : kCandidateList.get(state)) {
    if (other == account) continue;
    const auto candidate = kCandidates.find(state, other);
    TALLY_ASSERT(candidate.has_value());
    if (nameable(*candidate, config)) return true;
  }
  return false;
}

Named name_set(Context& ctx, Epoch epoch) {
  Named named{epoch, {}, false};
  for (const Ranked& ranked : ranking(ctx.state, ctx.config<Config>())) {
    const Candidate& candidate = ranked.candidate;
    const bool room = named.set.members.push_back(
        {candidate.consensus_key, candidate.vrf_key, ranked.account, weight_of(candidate.stake())});
    TALLY_ASSERT(room);
  }
  if (named.set.members.empty()) {
    named.set = epoch_set(ctx.state, Epoch(epoch.value - 1)).set;
    named.carried_over = true;
  }
  TALLY_ASSERT(named.set.check().ok());
  for (const Validator& member : named.set.members) {
    auto candidate = kCandidates.find(ctx.state, member.account);
    if (!candidate) continue;  // convicted, and carried over
    candidate->last_named = epoch;
    kCandidates.put(ctx.state, member.account, *candidate);
  }
  return named;
}

}  // namespace tally::validators
