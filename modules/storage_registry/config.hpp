// Parameters of the storage registry.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"

namespace tally::storage_registry {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::storage_registry;

  Balance deposit;                  // held for each checkpoint
  std::uint32_t checkpoints_max{};  // live ones of an account; at most kMaxCheckpoints
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, deposit, checkpoints_max);

constexpr Config main_config() {
  return {.deposit = Balance(10 * kMilliCredit.micro), .checkpoints_max = 1'024};
}

}  // namespace tally::storage_registry
