#include "modules/validators/stake.hpp"

#include "modules/credits/api.hpp"
#include "modules/validators/errors.hpp"
#include "modules/validators/naming.hpp"
#include "primitives/assert.hpp"

namespace tally::validators {
namespace {

using credits::HoldReason;

constexpr Balance kAmountMax(u128{1} << 100);

Balance sum_of(const UnbondingList& list) {
  Balance sum;
  for (const Unbonding& part : list) sum = plus(sum, part.amount);
  return sum;
}

void lower_bound_total(Context& ctx, Balance amount) {
  kBound.put(ctx.state, minus(kBound.get(ctx.state), amount));
}

}  // namespace

Balance plus(Balance a, Balance b) {
  const auto sum = checked_add(a, b);
  TALLY_ASSERT(sum.ok());
  return *sum;
}

Balance minus(Balance a, Balance b) {
  const auto difference = checked_sub(a, b);
  TALLY_ASSERT(difference.ok());
  return *difference;
}

Balance Candidate::own() const {
  return plus(bonded, sum_of(unbonding));
}

Balance Delegation::held() const {
  return plus(bonded, sum_of(unbonding));
}

DispatchResult check_amount(Balance amount) {
  if (amount.is_zero()) return fail(reject(Error::zero_amount));
  if (amount > kAmountMax) return fail(reject(Error::amount_out_of_range));
  return {};
}

DispatchResult bind(Context& ctx, const AccountId& account, Balance amount) {
  TALLY_TRY(credits::hold(ctx, account, HoldReason::validator_bond, amount));
  kBound.put(ctx.state, plus(kBound.get(ctx.state), amount));
  return {};
}

void unbind(Context& ctx, const AccountId& account, Balance amount) {
  credits::release(ctx, account, HoldReason::validator_bond, amount);
  lower_bound_total(ctx, amount);
}

void burn_bound(Context& ctx, const AccountId& account, Balance amount) {
  if (amount.is_zero()) return;
  credits::burn_held(ctx, account, HoldReason::validator_bond, amount, credits::BurnReason::slash);
  lower_bound_total(ctx, amount);
}

void pay_bound(Context& ctx, const BoundPayment& payment) {
  if (payment.amount.is_zero()) return;
  credits::pay_held(ctx, {payment.from, HoldReason::validator_bond, payment.to, payment.amount});
  lower_bound_total(ctx, payment.amount);
}

Epoch counted_until(const StateReader& state, const Candidate& candidate) {
  return candidate.last_named < epoch_info(state).epoch ? Epoch(0) : candidate.last_named;
}

DispatchResult begin_unbonding(Context& ctx, UnbondingList& list, Balance amount, Epoch last) {
  // Parts that are due together are one part.
  for (Unbonding& part : list) {
    const bool together = last.value != 0 ? part.last_epoch == last
                                          : part.last_epoch == last && part.asked == ctx.block.time;
    if (!together) continue;
    part.amount = plus(part.amount, amount);
    return {};
  }
  if (!list.push_back({amount, last, ctx.block.time})) {
    return fail(reject(Error::too_many_unbonding));
  }
  return {};
}

std::optional<TimestampMs> due_at(const StateReader& state, const Config& config,
                                  const Unbonding& part) {
  TimestampMs from = part.asked;
  if (part.last_epoch.value != 0) {
    const auto set = kSets.find(state, part.last_epoch);
    if (!set) return part.asked;  // that epoch is so long ago that its set is forgotten
    if (set->ended.value == 0) return std::nullopt;
    from = set->ended;
  }
  return TimestampMs(from.value + config.unbonding.value);
}

Balance take_due(const Context& ctx, UnbondingList& list) {
  Balance due;
  UnbondingList kept;
  for (const Unbonding& part : list) {
    const auto at = due_at(ctx.state, ctx.config<Config>(), part);
    if (at && *at <= ctx.block.time) {
      due = plus(due, part.amount);
    } else {
      const bool room = kept.push_back(part);
      TALLY_ASSERT(room);
    }
  }
  list = std::move(kept);
  return due;
}

void save(Context& ctx, const AccountId& account, const Candidate& candidate) {
  if (!candidate.own().is_zero() || !kDelegators.get(ctx.state, account).empty()) {
    kCandidates.put(ctx.state, account, candidate);
    return;
  }
  kCandidates.erase(ctx.state, account);
  kConsensusKeys.erase(ctx.state, candidate.consensus_key);
  kVrfKeys.erase(ctx.state, candidate.vrf_key);
}

}  // namespace tally::validators
