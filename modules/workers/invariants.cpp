#include "modules/workers/invariants.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "modules/credits/api.hpp"
#include "modules/workers/stake.hpp"
#include "modules/workers/storage.hpp"

namespace tally::workers {

namespace {

// Differences are taken modulo 2^128: they are equal there exactly when they are equal.
using PerAccount = std::map<AccountId, u128>;

u128 own_of(const std::optional<Worker>& worker) {
  return worker ? worker->own().micro : 0;
}
u128 bonded_of(const std::optional<Delegation>& delegation) {
  return delegation ? delegation->bonded.micro : 0;
}
u128 total_of(const std::optional<Delegation>& delegation) {
  return delegation ? total(*delegation).micro : 0;
}
Balance rewards_of(const std::optional<Worker>& worker) {
  Balance all;
  if (!worker) return all;
  for (const Reward& reward : worker->rewards) all = sum(all, reward.amount);
  return all;
}

template <class List>
bool ascends(const List& list) {
  return std::is_sorted(list.begin(), list.end()) &&
         std::adjacent_find(list.begin(), list.end()) == list.end();
}

// 2 and 7: one record by itself, and against what it was.
Violation worker_violation(const std::optional<Worker>& was, const std::optional<Worker>& is) {
  if (!is) return was ? Violation("a worker's record stays") : std::nullopt;
  if (is->frozen > is->own()) return "what is frozen is the worker's own";
  if (is->slash_due > is->frozen) return "a slash is owed of frozen stake only";
  if (is->registered == is->offers.empty()) return "a worker offers exactly while registered";
  if (!was) return std::nullopt;
  if (is->done < was->done || is->failed < was->failed) return "counts never fall";
  if (was->banned_until && is->banned_until < was->banned_until) return "no ban is shortened";
  return std::nullopt;
}

// What the records of workers changed: own stake and delegated stake by account, rewards in all.
struct Claims {
  PerAccount staked;     // by whose account it is held of
  PerAccount delegated;  // by worker
  u128 rewards = 0;
  std::map<std::pair<PoolId, AccountId>, int> offers;
};

void count_offers(Claims& claims, const AccountId& account, const std::optional<Worker>& worker,
                  int by) {
  if (!worker) return;
  for (const Offer& offer : worker->offers) {
    claims.offers[{{offer.type, offer.environment}, account}] += by;
  }
}

Violation read_workers(const ChangeView& view, Claims& claims) {
  Violation found;
  view.for_each(kWorkers, [&](const auto& keys, const auto& was, const auto& is) {
    const AccountId& account = std::get<0>(keys);
    claims.staked[account] += own_of(is) - own_of(was);
    claims.delegated[account] += (is ? is->delegated.micro : 0) - (was ? was->delegated.micro : 0);
    claims.rewards += rewards_of(is).micro - rewards_of(was).micro;
    count_offers(claims, account, was, -1);
    count_offers(claims, account, is, 1);
    if (!found) found = worker_violation(was, is);
  });
  return found;
}

// 3: delegations against the worker's sum and list.
Violation delegation_violation(const ChangeView& view, Claims& claims, const Config& config) {
  std::map<AccountId, std::uint64_t> listed;  // differences modulo 2^64
  Violation found;
  view.for_each(kDelegations, [&](const auto& keys, const auto& was, const auto& is) {
    const auto& [worker, who] = keys;
    claims.staked[who] += total_of(is) - total_of(was);
    claims.delegated[worker] -= bonded_of(is) - bonded_of(was);
    listed[worker] += std::uint64_t{is.has_value()} - std::uint64_t{was.has_value()};
    if (is && total(*is).is_zero()) found = "no delegation is empty";
    const auto list = view.after(kDelegators, worker);
    const bool is_listed = list && std::binary_search(list->begin(), list->end(), who);
    if (is.has_value() != is_listed) found = "who delegates is listed";
  });
  view.for_each(kDelegators, [&](const auto& keys, const auto& was, const auto& is) {
    listed[std::get<0>(keys)] -= (is ? is->size() : 0) - (was ? was->size() : 0);
    if (is && (is->empty() || !ascends(*is))) found = "a list of delegators ascends";
    if (is && is->size() > config.delegators_max) found = "no worker has more delegators";
  });
  if (found) return found;
  for (const auto& [worker, difference] : listed) {
    if (difference != 0) return "who is listed delegates";
  }
  for (const auto& [worker, difference] : claims.delegated) {
    if (difference != 0) return "what a worker is delegated is the sum of its delegations";
  }
  return std::nullopt;
}

// 1: what the module claims is what is held, of each account and in all.
Violation stake_violation(const ChangeView& view, const StateReader& after, const Claims& claims) {
  constexpr auto kReason = credits::HoldReason::worker_stake;
  u128 all = 0;
  for (const auto& [account, difference] : claims.staked) {
    all += difference;
    const u128 held = credits::held_balance(after, account, kReason).micro -
                      credits::held_balance(view.before_state(), account, kReason).micro;
    if (held != difference) return "an account's stake is what is held of it as worker_stake";
  }
  const Balance staked = view.after(kStaked).value_or(Balance{});
  if (staked.micro - view.before(kStaked).value_or(Balance{}).micro != all) {
    return "Staked is the sum of all stake";
  }
  if (staked != credits::held_total(after, kReason)) {
    return "all stake is what is held with reason worker_stake";
  }
  return std::nullopt;
}

// 4: a worker is in the pools of its offers, and in no other.
Violation pool_violation(const ChangeView& view, Claims& claims) {
  Violation found;
  view.for_each(kPools, [&](const auto& keys, const auto& was, const auto& is) {
    const PoolId& id = std::get<0>(keys);
    if (was) {
      for (const AccountId& account : *was) ++claims.offers[{id, account}];
    }
    if (!is) return;
    if (is->empty() || !ascends(*is)) found = "a pool ascends";
    for (const AccountId& account : *is) --claims.offers[{id, account}];
  });
  if (found) return found;
  for (const auto& [place, difference] : claims.offers) {
    if (difference != 0) return "a worker is in the pools of its offers";
  }
  return std::nullopt;
}

// 5 and 6: rewards and counters.
Violation sums_violation(const ChangeView& view, const Claims& claims, const Config& config) {
  const u128 due = view.after(kRewardsDue).value_or(Balance{}).micro -
                   view.before(kRewardsDue).value_or(Balance{}).micro;
  if (due != claims.rewards) return "RewardsDue is the sum of all rewards that are not paid";
  if (view.after(kEpochRewards).value_or(EpochRewards{}).granted > config.reward_epoch_max) {
    return "no epoch draws more from the reward pool than its cap";
  }
  if (view.after(kTurnover).value_or(Balance{}) < view.before(kTurnover).value_or(Balance{})) {
    return "turnover never falls";
  }
  Violation found;
  view.for_each(kPartners, [&](const auto&, const auto& was, const auto& is) {
    if (is.value_or(0) < was.value_or(0)) found = "counts never fall";
    if (is.value_or(0) > config.partner_max) found = "one counterparty counts up to its cap";
  });
  view.for_each(kPenalties, [&](const auto&, const auto& was, const auto& is) {
    if (is.value_or(0) < was.value_or(0)) found = "a penalty never falls";
    if (is.value_or(0) > kPenaltyFull) found = "a penalty is at most full";
  });
  return found;
}

}  // namespace

Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config) {
  Claims claims;
  if (auto found = read_workers(view, claims)) return found;
  if (auto found = delegation_violation(view, claims, config)) return found;
  if (auto found = stake_violation(view, after, claims)) return found;
  if (auto found = pool_violation(view, claims)) return found;
  return sums_violation(view, claims, config);
}

}  // namespace tally::workers
