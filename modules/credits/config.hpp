// Parameters of money.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"

namespace tally::credits {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::credits;

  Balance existential_deposit;
  Balance fee_base;
  Balance fee_per_byte;
  Balance fee_per_weight_ms;  // per millisecond of reference execution
  std::uint32_t debts_max{};  // open debts of one debtor
  // The contribution curve: 1 + (max − 1)·e^(−hours/scale).
  std::uint32_t multiplier_max{};
  std::uint64_t multiplier_scale_hours{};
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, existential_deposit, fee_base, fee_per_byte, fee_per_weight_ms, debts_max,
               multiplier_max, multiplier_scale_hours);

}  // namespace tally::credits
