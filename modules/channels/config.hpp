// Parameters of channels.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::channels {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::channels;

  DurationMs period_min;
  DurationMs period_max;
  DurationMs period_default;        // what clients offer
  std::uint32_t request_factor{};   // a request_close waits this many periods
  std::uint32_t open_max{};         // channels of one opener at a time
  std::uint32_t settlements_max{};  // automatic settlements a block
  DurationMs deadline_bucket;  // grain of the deadline index; a settlement is at most this late
  Balance deposit_min;         // of both sides together
  std::uint32_t fee_per_thousand{};              // of what a side gained
  std::uint32_t request_penalty_per_thousand{};  // of a refuted requester's balance
  Balance request_penalty_max;
  std::uint32_t tower_per_thousand{};  // of what a cheater loses
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, period_min, period_max, period_default, request_factor, open_max,
               settlements_max, deadline_bucket, deposit_min, fee_per_thousand,
               request_penalty_per_thousand, request_penalty_max, tower_per_thousand);

// The values for a real network; presets change the times only.
constexpr Config main_config() {
  constexpr std::uint64_t kMinute = 60'000;
  constexpr std::uint64_t kDay = 24 * 60 * kMinute;
  return {.period_min = DurationMs(10 * kMinute),
          .period_max = DurationMs(30 * kDay),
          .period_default = DurationMs(kDay),
          .request_factor = 7,
          .open_max = 1'024,
          .settlements_max = 64,
          .deadline_bucket = DurationMs(400),
          .deposit_min = kMilliCredit,
          .fee_per_thousand = 10,
          .request_penalty_per_thousand = 50,
          .request_penalty_max = kCredit,
          .tower_per_thousand = 100};
}

// For networks on one machine.
constexpr Config local_config() {
  Config config = main_config();
  config.period_min = DurationMs(2'000);
  config.period_default = DurationMs(10'000);
  config.deadline_bucket = DurationMs(100);
  return config;
}

}  // namespace tally::channels
