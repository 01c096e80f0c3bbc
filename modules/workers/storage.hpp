// The workers module's storage items.
#pragma once

#include "modules/support/storage.hpp"
#include "modules/workers/config.hpp"
#include "modules/workers/types.hpp"

namespace tally::workers {

inline constexpr StorageMap<Blake2_128Concat, AccountId, Worker> kWorkers{
    "Workers", "Workers", Modifier::optional,
    "Stake, offers and history of whoever ever registered."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, Profile> kProfiles{
    "Workers", "Profiles", Modifier::optional, "What a registered worker says of itself."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, Uptime> kUptime{
    "Workers", "Uptime", Modifier::optional, "The heartbeats of a worker."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, std::uint32_t> kPenalties{
    "Workers", "Penalties", Modifier::with_default,
    "Points off an account's reputation, worker or not; no entry for zero."};
inline constexpr StorageMap<Blake2_128Concat, PoolId, BoundedVec<AccountId, kMaxPool>> kPools{
    "Workers", "Pools", Modifier::with_default,
    "The workers of a type and environment, ascending; no entry for none."};
inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Blake2_128Concat, AccountId,
                                  Delegation>
    kDelegations{"Workers", "Delegations", Modifier::optional,
                 "What is delegated to a worker, by a delegator."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, BoundedVec<AccountId, kMaxDelegators>>
    kDelegators{"Workers", "Delegators", Modifier::with_default,
                "Who has a delegation to a worker, ascending; no entry for none."};
inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Blake2_128Concat, AccountId,
                                  std::uint32_t>
    kPartners{"Workers", "Partners", Modifier::with_default,
              "How many tasks counted between a worker and a counterparty."};
inline constexpr StorageValue<BoundedVec<Motion, kMaxCouncil * kMaxMotions>> kMotions{
    "Workers", "Motions", Modifier::with_default, "Slashes that the council is deciding on."};
inline constexpr StorageValue<Council> kCouncil{"Workers", "Council", Modifier::with_default,
                                                "Who may slash, fixed at genesis."};
inline constexpr StorageValue<Balance> kStaked{
    "Workers", "Staked", Modifier::with_default,
    "All stake, own and delegated, bonded and unbonding: what is held with reason worker_stake."};
inline constexpr StorageValue<Balance> kRewardsDue{"Workers", "RewardsDue", Modifier::with_default,
                                                   "All rewards that are granted and not paid."};
inline constexpr StorageValue<EpochRewards> kEpochRewards{
    "Workers", "EpochRewards", Modifier::with_default, "Rewards granted in the newest epoch."};
inline constexpr StorageValue<Balance> kTurnover{
    "Workers", "Turnover", Modifier::with_default,
    "What registered workers earned in channels that closed co-operatively, ever."};
inline constexpr StorageValue<Config> kConfig{"Workers", "Config", Modifier::optional,
                                              "The parameters of workers, fixed at genesis."};

}  // namespace tally::workers
