// Events of the storage registry.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "modules/storage_registry/types.hpp"

namespace tally::storage_registry {

struct CheckpointRecorded {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "CheckpointRecorded";
  AccountId owner;
  CheckpointIndex index;
  std::string label;
  StateHash state_hash;
  StoreKind store{};
  std::string content_id;
  Balance deposit;  // held from now on
  friend bool operator==(const CheckpointRecorded&, const CheckpointRecorded&) = default;
};
TALLY_DESCRIBE(CheckpointRecorded, owner, index, label, state_hash, store, content_id, deposit);

struct CheckpointRemoved {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "CheckpointRemoved";
  AccountId owner;
  CheckpointIndex index;
  std::string label;
  Balance deposit;                        // free again
  std::optional<CheckpointIndex> latest;  // of the label from now on
  friend bool operator==(const CheckpointRemoved&, const CheckpointRemoved&) = default;
};
TALLY_DESCRIBE(CheckpointRemoved, owner, index, label, deposit, latest);

struct CheckpointAttested {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "CheckpointAttested";
  AccountId owner;
  CheckpointIndex index;
  Availability availability{};
  AccountId attester;
  friend bool operator==(const CheckpointAttested&, const CheckpointAttested&) = default;
};
TALLY_DESCRIBE(CheckpointAttested, owner, index, availability, attester);

using Event = std::variant<CheckpointRecorded, CheckpointRemoved, CheckpointAttested>;

}  // namespace tally::storage_registry
