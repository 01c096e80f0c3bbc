#include "modules/workers/api.hpp"

#include <algorithm>
#include <limits>

#include "modules/credits/api.hpp"
#include "modules/workers/events.hpp"
#include "modules/workers/reputation.hpp"
#include "modules/workers/rewards.hpp"
#include "modules/workers/slashing.hpp"
#include "modules/workers/stake.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/assert.hpp"

namespace tally::workers {

namespace {

using credits::BurnReason;
using credits::HoldReason;

// Changes a record that is there.
template <class Change>
auto with_worker(Context& ctx, const AccountId& account, Change&& change) {
  auto entry = kWorkers.at(ctx.state, account);
  TALLY_ASSERT(entry.exists());
  Worker worker = entry.get();
  if constexpr (std::is_void_v<decltype(change(worker))>) {
    change(worker);
    entry.put(worker);
  } else {
    const auto result = change(worker);
    entry.put(worker);
    return result;
  }
}

void raise(std::uint32_t& count, std::uint32_t by) {
  count += std::min(by, std::numeric_limits<std::uint32_t>::max() - count);
}

TimestampMs after(TimestampMs time, DurationMs duration) {
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - time.value;
  return TimestampMs(time.value + std::min(room, duration.value));
}

void lower_staked(Context& ctx, Balance by) {
  kStaked.put(ctx.state, rest(kStaked.get(ctx.state), by));
}

// Counts what the close shows, for the first time between these two or not.
std::uint32_t count_tasks(Context& ctx, const ClosedChannel& closed) {
  auto partner = kPartners.at(ctx.state, closed.payee, closed.payer);
  const std::uint32_t before = partner.get();
  const std::uint32_t counted =
      tasks_counted({closed.receipts_count, closed.turnover, before}, ctx.config<Config>());
  if (counted > 0) partner.put(before + counted);
  return counted;
}

// What this epoch has drawn so far.
Balance drawn(const Context& ctx) {
  const EpochRewards epoch = kEpochRewards.get(ctx.state);
  return epoch.epoch == ctx.block.epoch ? epoch.granted : Balance{};
}

// Takes the reward out of the epoch's cap and returns it.
Balance grant(Context& ctx, const ClosedChannel& closed) {
  const Config& config = ctx.config<Config>();
  const std::uint64_t hours = compute_hours(ctx.state, config);
  const Balance reward = reward_for(
      {closed.settlement_fee, credits::contribution_multiplier(ctx, hours), epoch_room(ctx)},
      config);
  if (reward.is_zero()) return reward;
  take_epoch_room(ctx, reward);
  kRewardsDue.put(ctx.state, sum(kRewardsDue.get(ctx.state), reward));
  return reward;
}

}  // namespace

std::optional<Worker> find(const StateReader& state, const AccountId& account) {
  return kWorkers.find(state, account);
}

std::optional<Profile> find_profile(const StateReader& state, const AccountId& account) {
  return kProfiles.find(state, account);
}

std::uint32_t penalty_of(const StateReader& state, const AccountId& account) {
  return kPenalties.get(state, account);
}

bool is_delegator_of(const StateReader& state, const AccountId& who, const AccountId& worker) {
  return kDelegations.contains(state, worker, who);
}

std::vector<AccountId> pool(const StateReader& state, const PoolId& id) {
  return kPools.get(state, id).items();
}

std::uint32_t reputation(const StateReader& state, const Config& config, const AccountId& account,
                         TimestampMs now) {
  const auto worker = kWorkers.find(state, account);
  const auto uptime = kUptime.find(state, account);
  if (!worker || !uptime) return 0;
  return reputation_points({worker->done, worker->failed,
                            uptime_of(*uptime, now.value / config.heartbeat_interval.value),
                            stake_weight_billionths(worker->bonded, config.stake_min),
                            penalty_of(state, account)});
}

Tier tier_of(std::uint32_t reputation) {
  if (reputation >= 950) return Tier::elite;
  if (reputation >= 850) return Tier::trusted;
  if (reputation >= 700) return Tier::standard;
  if (reputation >= 500) return Tier::probation;
  return Tier::restricted;
}

AuditBand audit_band(const Worker& worker) {
  if (worker.done < 10) return AuditBand::every_task;
  if (worker.done <= 100) return AuditBand::one_in_ten;
  return AuditBand::none;
}

std::uint64_t compute_hours(const StateReader& state, const Config& config) {
  const u128 hours = kTurnover.get(state).micro / config.hour_price.micro;
  return static_cast<std::uint64_t>(
      std::min<u128>(hours, std::numeric_limits<std::uint64_t>::max()));
}

std::vector<Drawable> drawable(const Context& ctx, const DrawQuery& query) {
  const Config& config = ctx.config<Config>();
  std::vector<Drawable> out;
  for (const AccountId& account : kPools.get(ctx.state, query.pool)) {
    const auto worker = kWorkers.find(ctx.state, account);
    TALLY_ASSERT(worker.has_value());
    const Offer* offer = worker->offer(query.pool.type);
    TALLY_ASSERT(offer != nullptr && offer->environment == query.pool.environment);
    const bool stands = worker->bonded >= config.stake_min && worker->cover() >= query.cover_min;
    if (worker->is_banned(ctx.block.time) || !stands || offer->since >= query.before) continue;
    if (!worker->effective().is_zero()) out.push_back({account, worker->effective()});
  }
  return out;
}

Balance freeze_up_to(Context& ctx, const AccountId& account, Balance amount) {
  if (!kWorkers.contains(ctx.state, account)) return {};
  const Balance part =
      with_worker(ctx, account, [&](Worker& worker) { return freeze(worker, amount); });
  if (!part.is_zero()) ctx.events.emit(kModule, StakeFrozen{account, part});
  return part;
}

void unfreeze(Context& ctx, const AccountId& account, Balance amount) {
  if (amount.is_zero()) return;
  const Balance burned =
      with_worker(ctx, account, [&](Worker& worker) { return thaw(worker, amount); });
  credits::burn_held(ctx, account, HoldReason::worker_stake, burned, BurnReason::slash);
  lower_staked(ctx, burned);
  ctx.events.emit(kModule, StakeThawed{account, amount, burned});
}

void pay_from_frozen(Context& ctx, const AccountId& account, const AccountId& to, Balance amount) {
  if (amount.is_zero()) return;
  with_worker(ctx, account, [&](Worker& worker) { take_frozen(worker, amount); });
  credits::pay_held(ctx, {account, HoldReason::worker_stake, to, amount});
  lower_staked(ctx, amount);
}

void burn_frozen(Context& ctx, const AccountId& account, Balance amount) {
  if (amount.is_zero()) return;
  with_worker(ctx, account, [&](Worker& worker) { take_frozen(worker, amount); });
  credits::burn_held(ctx, account, HoldReason::worker_stake, amount, BurnReason::dispute);
  lower_staked(ctx, amount);
}

void ban(Context& ctx, const AccountId& account, DurationMs duration) {
  with_worker(ctx, account, [&](Worker& worker) {
    const TimestampMs until = after(ctx.block.time, duration);
    if (!worker.banned_until || *worker.banned_until < until) worker.banned_until = until;
    lose_rewards(ctx, account, worker);
    ctx.events.emit(kModule, WorkerBanned{account, *worker.banned_until});
  });
  add_penalty(ctx, account, kPenaltyFull);
}

void add_penalty(Context& ctx, const AccountId& account, std::uint32_t points) {
  auto entry = kPenalties.at(ctx.state, account);
  const std::uint32_t before = entry.get();
  const std::uint32_t added = std::min(points, kPenaltyFull - before);
  if (added == 0) return;
  entry.put(before + added);
  ctx.events.emit(kModule, PenaltyAdded{account, added, before + added});
}

void count_done(Context& ctx, const AccountId& account) {
  if (!kWorkers.contains(ctx.state, account)) return;
  with_worker(ctx, account, [](Worker& worker) { raise(worker.done, 1); });
  ctx.events.emit(kModule, TasksCounted{account, std::nullopt, 1, 0});
}

void count_failed(Context& ctx, const AccountId& account) {
  if (!kWorkers.contains(ctx.state, account)) return;
  with_worker(ctx, account, [](Worker& worker) { raise(worker.failed, 1); });
  ctx.events.emit(kModule, TasksCounted{account, std::nullopt, 0, 1});
}

Balance epoch_room(const Context& ctx) {
  const Balance most = ctx.config<Config>().reward_epoch_max;
  return rest(most, min(most, drawn(ctx)));
}

void take_epoch_room(Context& ctx, Balance amount) {
  TALLY_ASSERT(amount <= epoch_room(ctx));
  if (amount.is_zero()) return;
  kEpochRewards.put(ctx.state, {ctx.block.epoch, sum(drawn(ctx), amount)});
}

void on_channel_closed(Context& ctx, const ClosedChannel& closed) {
  auto entry = kWorkers.at(ctx.state, closed.payee);
  auto worker = entry.find();
  if (!worker || !worker->registered || worker->is_banned(ctx.block.time)) return;
  if (closed.turnover.is_zero()) return;
  const std::uint32_t counted = count_tasks(ctx, closed);
  const Balance reward = grant(ctx, closed);
  kTurnover.put(ctx.state, sum(kTurnover.get(ctx.state), closed.turnover));
  raise(worker->done, counted);
  if (counted > 0) {
    ctx.events.emit(kModule, TasksCounted{closed.payee, closed.payer, counted, 0});
  }
  if (!reward.is_zero()) {
    const TimestampMs end = vesting_end(ctx.block.time, ctx.config<Config>());
    add_reward(worker->rewards, {reward, end}, ctx.block.time);
    ctx.events.emit(kModule, RewardGranted{closed.payee, reward, end});
  }
  entry.put(*worker);
}

}  // namespace tally::workers
