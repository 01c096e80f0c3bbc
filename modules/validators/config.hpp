// Parameters of epochs, of consensus and of bonds.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::validators {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::validators;

  std::uint32_t epoch_length{};  // blocks
  DurationMs delta;              // Δ₀: bounds a message, a fetch of what it names, and execution
  DurationMs max_drift;          // how far ahead of a validator's clock a header time may be
  std::uint32_t validators_max{};         // N: members of a set
  Balance bond_min;                       // own bond of a validator, at least 1 CC
  Balance delegation_min;                 // bonded stake of a delegator
  std::uint32_t delegators_max{};         // of one validator; at most kMaxDelegators
  DurationMs unbonding;                   // longer than a light client's trust period
  std::uint32_t reporter_per_thousand{};  // of an equivocator's own bond
  std::uint32_t downtime_per_thousand{};  // of the own bond, for an epoch of absence
  std::uint32_t downtime_views_min{};     // who led fewer views in an epoch is not judged
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, epoch_length, delta, max_drift, validators_max, bond_min, delegation_min,
               delegators_max, unbonding, reporter_per_thousand, downtime_per_thousand,
               downtime_views_min);

// The values for a real network.
constexpr Config main_config() {
  constexpr std::uint64_t kDay = 24 * 3'600'000;
  return {.epoch_length = 10'800,
          .delta = DurationMs(1'000),
          .max_drift = DurationMs(500),
          .validators_max = 100,
          .bond_min = Balance(10'000 * kCredit.micro),
          .delegation_min = Balance(10 * kCredit.micro),
          .delegators_max = 256,
          .unbonding = DurationMs(7 * kDay),
          .reporter_per_thousand = 100,
          .downtime_per_thousand = 1,
          .downtime_views_min = 16};
}

// For networks on one machine.
constexpr Config local_config() {
  Config config = main_config();
  config.epoch_length = 600;
  config.delta = DurationMs(300);
  config.validators_max = 4;
  config.bond_min = Balance(1'000 * kCredit.micro);
  config.unbonding = DurationMs(60'000);
  return config;
}

}  // namespace tally::validators
