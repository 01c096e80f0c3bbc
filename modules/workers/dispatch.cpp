#include "modules/workers/dispatch.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "modules/credits/api.hpp"
#include "modules/workers/api.hpp"
#include "modules/workers/errors.hpp"
#include "modules/workers/events.hpp"
#include "modules/workers/pools.hpp"
#include "modules/workers/reputation.hpp"
#include "modules/workers/rewards.hpp"
#include "modules/workers/slashing.hpp"
#include "modules/workers/stake.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/assert.hpp"

namespace tally::workers {

namespace {

using credits::HoldReason;
using Delegators = BoundedVec<AccountId, kMaxDelegators>;

// So that sums of amounts stay far from the end of 128 bits.
constexpr Balance kAmountMax{u128{1} << 100};

Result<Worker, DispatchError> worker_at(Context& ctx, const AccountId& account) {
  auto worker = kWorkers.find(ctx.state, account);
  if (!worker) return fail(reject(Error::unknown_worker));
  return *std::move(worker);
}

Result<Worker, DispatchError> registered_at(Context& ctx, const AccountId& account) {
  auto worker = TALLY_TRY(worker_at(ctx, account));
  if (!worker.registered) return fail(reject(Error::not_registered));
  return worker;
}

DispatchResult require_free(const Context& ctx, const Worker& worker) {
  if (worker.is_banned(ctx.block.time)) return fail(reject(Error::banned));
  return {};
}

DispatchResult require_amount(Balance amount) {
  if (amount.is_zero()) return fail(reject(Error::zero_amount));
  if (amount > kAmountMax) return fail(reject(Error::amount_out_of_range));
  return {};
}

DispatchResult require_profile(const Profile& profile) {
  const auto checked = check_profile(profile);
  if (!checked.ok()) return fail(reject(checked.error()));
  return {};
}

// From free credits into stake.
DispatchResult take_stake(Context& ctx, const AccountId& from, Balance amount) {
  TALLY_TRY(credits::hold(ctx, from, HoldReason::worker_stake, amount));
  kStaked.put(ctx.state, sum(kStaked.get(ctx.state), amount));
  return {};
}

void give_back(Context& ctx, const AccountId& to, Balance amount) {
  credits::release(ctx, to, HoldReason::worker_stake, amount);
  kStaked.put(ctx.state, rest(kStaked.get(ctx.state), amount));
}

TimestampMs unbonding_end(const Context& ctx) {
  return TimestampMs(ctx.block.time.value + ctx.config<Config>().unbonding.value);
}

std::uint64_t slot_now(const Context& ctx) {
  return ctx.block.time.value / ctx.config<Config>().heartbeat_interval.value;
}

void beat(Context& ctx, const AccountId& worker) {
  auto entry = kUptime.at(ctx.state, worker);
  const std::uint64_t slot = slot_now(ctx);
  Uptime uptime = entry.find().value_or(Uptime{.first_slot = slot, .last_slot = slot});
  mark_heartbeat(uptime, slot);
  uptime.last_seen = ctx.block.header_time;
  entry.put(uptime);
}

// Pays what is vested, as far as the pool has it. True if something was paid.
bool pay_rewards(Context& ctx, const AccountId& account, Worker& worker) {
  const Balance due = vested(worker.rewards, ctx.block.time);
  if (due.is_zero()) return false;
  const Balance paid = credits::pay_from_pool(ctx, account, due);
  if (paid.is_zero()) return false;
  take_vested(worker.rewards, ctx.block.time, paid);
  kRewardsDue.put(ctx.state, rest(kRewardsDue.get(ctx.state), paid));
  ctx.events.emit(kModule, RewardPaid{account, due, paid});
  return true;
}

DispatchResult run(Context& ctx, const Origin& origin, const Register& call) {
  const AccountId& account = origin.signer;
  Worker worker = kWorkers.get(ctx.state, account);
  if (worker.registered) return fail(reject(Error::already_registered));
  TALLY_TRY(require_free(ctx, worker));
  const Balance stake = call.stake.value;
  if (stake > kAmountMax) return fail(reject(Error::amount_out_of_range));
  TALLY_TRY(require_profile(call.profile));
  worker.bonded = sum(worker.bonded, stake);
  if (worker.bonded < ctx.config<Config>().stake_min) return fail(reject(Error::stake_too_small));
  worker.registered = true;
  worker.registered_at = ctx.block.header_time;
  worker.offers = offers_of(call.profile, {}, ctx.block.header_time);
  TALLY_TRY(move_pools(ctx, {account, {}, worker.offers}));
  TALLY_TRY(take_stake(ctx, account, stake));
  beat(ctx, account);
  kWorkers.put(ctx.state, account, worker);
  kProfiles.put(ctx.state, account, call.profile);
  ctx.events.emit(kModule, WorkerRegistered{account, call.profile, stake});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Update& call) {
  Worker worker = TALLY_TRY(registered_at(ctx, origin.signer));
  TALLY_TRY(require_profile(call.profile));
  const OfferList before = worker.offers;
  worker.offers = offers_of(call.profile, before, ctx.block.header_time);
  TALLY_TRY(move_pools(ctx, {origin.signer, before, worker.offers}));
  kWorkers.put(ctx.state, origin.signer, worker);
  kProfiles.put(ctx.state, origin.signer, call.profile);
  ctx.events.emit(kModule, WorkerUpdated{origin.signer, call.profile});
  return {};
}

// A part of the worker's bonded stake begins to unbond.
DispatchResult unbond_own(Context& ctx, const AccountId& account, Worker& worker, Balance amount) {
  if (amount.is_zero()) return {};
  const TimestampMs until = unbonding_end(ctx);
  worker.bonded = rest(worker.bonded, amount);
  if (!add_unbonding(worker.unbonding, {amount, until})) {
    return fail(reject(Error::too_many_unbonding));
  }
  ctx.events.emit(kModule, StakeUnbonding{account, account, amount, until});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Deregister&) {
  const AccountId& account = origin.signer;
  Worker worker = TALLY_TRY(registered_at(ctx, account));
  TALLY_TRY(require_free(ctx, worker));
  TALLY_TRY(unbond_own(ctx, account, worker, worker.bonded));
  TALLY_TRY(move_pools(ctx, {account, worker.offers, {}}));
  worker.offers = {};
  worker.registered = false;
  kWorkers.put(ctx.state, account, worker);
  kProfiles.erase(ctx.state, account);
  ctx.events.emit(kModule, WorkerDeregistered{account});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const TopUp& call) {
  Worker worker = TALLY_TRY(registered_at(ctx, origin.signer));
  const Balance amount = call.amount.value;
  TALLY_TRY(require_amount(amount));
  TALLY_TRY(take_stake(ctx, origin.signer, amount));
  worker.bonded = sum(worker.bonded, amount);
  kWorkers.put(ctx.state, origin.signer, worker);
  ctx.events.emit(kModule, StakeAdded{origin.signer, origin.signer, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Unstake& call) {
  Worker worker = TALLY_TRY(registered_at(ctx, origin.signer));
  TALLY_TRY(require_free(ctx, worker));
  const Balance amount = call.amount.value;
  TALLY_TRY(require_amount(amount));
  const auto left = checked_sub(worker.bonded, amount);
  if (!left.ok() || *left < ctx.config<Config>().stake_min) {
    return fail(reject(Error::stake_too_small));
  }
  TALLY_TRY(unbond_own(ctx, origin.signer, worker, amount));
  kWorkers.put(ctx.state, origin.signer, worker);
  return {};
}

// Puts the delegator into the worker's list; there already: nothing to do.
DispatchResult list_delegator(Context& ctx, const AccountId& worker, const AccountId& who) {
  std::vector<AccountId> list = kDelegators.get(ctx.state, worker).items();
  const auto at = std::lower_bound(list.begin(), list.end(), who);
  if (at != list.end() && *at == who) return {};
  if (list.size() >= ctx.config<Config>().delegators_max) {
    return fail(reject(Error::too_many_delegators));
  }
  list.insert(at, who);
  kDelegators.put(ctx.state, worker, *Delegators::from(std::move(list)));
  return {};
}

void unlist_delegator(Context& ctx, const AccountId& worker, const AccountId& who) {
  Delegators list = kDelegators.get(ctx.state, worker);
  const auto at = std::lower_bound(list.begin(), list.end(), who);
  TALLY_ASSERT(at != list.end() && *at == who);
  list.erase(at);
  if (list.empty()) {
    kDelegators.erase(ctx.state, worker);
  } else {
    kDelegators.put(ctx.state, worker, list);
  }
}

DispatchResult run(Context& ctx, const Origin& origin, const Delegate& call) {
  Worker worker = TALLY_TRY(registered_at(ctx, call.worker));
  TALLY_TRY(require_free(ctx, worker));
  if (origin.signer == call.worker) return fail(reject(Error::own_stake));
  const Balance amount = call.amount.value;
  TALLY_TRY(require_amount(amount));
  auto entry = kDelegations.at(ctx.state, call.worker, origin.signer);
  Delegation delegation = entry.get();
  delegation.bonded = sum(delegation.bonded, amount);
  if (delegation.bonded < ctx.config<Config>().delegation_min) {
    return fail(reject(Error::delegation_small));
  }
  TALLY_TRY(list_delegator(ctx, call.worker, origin.signer));
  TALLY_TRY(take_stake(ctx, origin.signer, amount));
  worker.delegated = sum(worker.delegated, amount);
  entry.put(delegation);
  kWorkers.put(ctx.state, call.worker, worker);
  ctx.events.emit(kModule, StakeAdded{call.worker, origin.signer, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Undelegate& call) {
  Worker worker = TALLY_TRY(worker_at(ctx, call.worker));
  const Balance amount = call.amount.value;
  TALLY_TRY(require_amount(amount));
  auto entry = kDelegations.at(ctx.state, call.worker, origin.signer);
  if (!entry.exists()) return fail(reject(Error::no_delegation));
  Delegation delegation = entry.get();
  const auto left = checked_sub(delegation.bonded, amount);
  if (!left.ok()) return fail(reject(Error::not_that_much));
  if (!left->is_zero() && *left < ctx.config<Config>().delegation_min) {
    return fail(reject(Error::delegation_small));
  }
  const TimestampMs until = unbonding_end(ctx);
  delegation.bonded = *left;
  if (!add_unbonding(delegation.unbonding, {amount, until})) {
    return fail(reject(Error::too_many_unbonding));
  }
  worker.delegated = rest(worker.delegated, amount);
  entry.put(delegation);
  kWorkers.put(ctx.state, call.worker, worker);
  ctx.events.emit(kModule, StakeUnbonding{call.worker, origin.signer, amount, until});
  return {};
}

DispatchResult withdraw_own(Context& ctx, const AccountId& account) {
  Worker worker = TALLY_TRY(worker_at(ctx, account));
  TALLY_TRY(require_free(ctx, worker));
  const bool rewarded = pay_rewards(ctx, account, worker);
  const Balance amount = take_due(worker.unbonding, ctx.block.time, worker.unfrozen());
  if (amount.is_zero() && !rewarded) return fail(reject(Error::nothing_to_withdraw));
  give_back(ctx, account, amount);
  kWorkers.put(ctx.state, account, worker);
  if (!amount.is_zero()) ctx.events.emit(kModule, StakeWithdrawn{account, account, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Withdraw& call) {
  if (origin.signer == call.worker) return withdraw_own(ctx, call.worker);
  TALLY_TRY(worker_at(ctx, call.worker));
  auto entry = kDelegations.at(ctx.state, call.worker, origin.signer);
  if (!entry.exists()) return fail(reject(Error::no_delegation));
  Delegation delegation = entry.get();
  const Balance amount = take_due(delegation.unbonding, ctx.block.time, kAmountMax);
  if (amount.is_zero()) return fail(reject(Error::nothing_to_withdraw));
  give_back(ctx, origin.signer, amount);
  if (total(delegation).is_zero()) {
    entry.erase();
    unlist_delegator(ctx, call.worker, origin.signer);
  } else {
    entry.put(delegation);
  }
  ctx.events.emit(kModule, StakeWithdrawn{call.worker, origin.signer, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Heartbeat&) {
  Worker worker = TALLY_TRY(registered_at(ctx, origin.signer));
  if (kUptime.get(ctx.state, origin.signer).last_slot == slot_now(ctx)) {
    return fail(reject(Error::heartbeat_too_early));
  }
  beat(ctx, origin.signer);
  if (pay_rewards(ctx, origin.signer, worker)) kWorkers.put(ctx.state, origin.signer, worker);
  ctx.events.emit(kModule, HeartbeatSeen{origin.signer});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const ApproveSlash& call) {
  return approve_slash(ctx, origin.signer, call);
}

}  // namespace

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call) {
  return std::visit([&](const auto& alternative) { return run(ctx, origin, alternative); }, call);
}

}  // namespace tally::workers
