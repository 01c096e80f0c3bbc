// Parameters of workers.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::workers {

// Percent of a stake that a slash burns, by reason.
struct SlashShares {
  std::uint8_t downtime{};
  std::uint8_t invalid_result{};
  std::uint8_t spam{};
  std::uint8_t double_spend{};
  std::uint8_t sybil{};
  std::uint8_t malicious{};
  friend bool operator==(const SlashShares&, const SlashShares&) = default;
};
TALLY_DESCRIBE(SlashShares, downtime, invalid_result, spam, double_spend, sybil, malicious);

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::workers;

  Balance stake_min;               // own bonded stake of a worker
  Balance delegation_min;          // bonded stake of a delegator
  std::uint32_t delegators_max{};  // of one worker; at most kMaxDelegators
  DurationMs unbonding;
  DurationMs heartbeat_interval;  // uptime looks back kUptimeSlots of these
  DurationMs motion_life;         // a slash that is not approved by then lapses
  SlashShares slash_percent;
  Balance hour_price;              // turnover that stands for an hour of the reference machine
  Balance task_turnover;           // turnover that a counted task takes at least
  std::uint32_t partner_max{};     // tasks that count between a worker and one counterparty, ever
  std::uint32_t reward_percent{};  // of a settlement fee, before the multiplier
  std::uint32_t reward_percent_max{};  // of a settlement fee, whatever the multiplier
  Balance reward_epoch_max;            // granted in one epoch, what disputes take included
  DurationMs reward_vesting;           // a receipt's 24 h and the longest dispute
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, stake_min, delegation_min, delegators_max, unbonding, heartbeat_interval,
               motion_life, slash_percent, hour_price, task_turnover, partner_max, reward_percent,
               reward_percent_max, reward_epoch_max, reward_vesting);

// The values for a real network; presets change the times only.
constexpr Config main_config() {
  constexpr std::uint64_t kHour = 3'600'000;
  constexpr std::uint64_t kDay = 24 * kHour;
  return {.stake_min = Balance(100 * kCredit.micro),
          .delegation_min = Balance(10 * kCredit.micro),
          .delegators_max = 256,
          .unbonding = DurationMs(7 * kDay),
          .heartbeat_interval = DurationMs(kHour),
          .motion_life = DurationMs(7 * kDay),
          .slash_percent = {.downtime = 1,
                            .invalid_result = 10,
                            .spam = 10,
                            .double_spend = 50,
                            .sybil = 100,
                            .malicious = 100},
          .hour_price = kCredit,
          .task_turnover = Balance(100 * kMilliCredit.micro),
          .partner_max = 50,
          .reward_percent = 9,
          .reward_percent_max = 90,
          .reward_epoch_max = Balance(100 * kCredit.micro),
          .reward_vesting = DurationMs(4 * kDay)};
}

// For networks on one machine.
constexpr Config local_config() {
  Config config = main_config();
  config.unbonding = DurationMs(60'000);
  config.heartbeat_interval = DurationMs(60'000);
  config.motion_life = DurationMs(600'000);
  config.reward_vesting = DurationMs(60'000);
  return config;
}

}  // namespace tally::workers
