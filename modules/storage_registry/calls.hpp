// Calls of the storage registry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "modules/storage_registry/types.hpp"
#include "modules/support/context.hpp"

namespace tally::storage_registry {

// Anyone, for itself: the checkpoint becomes the label's latest. Holds the deposit.
struct RecordCheckpoint {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "record_checkpoint";
  std::string label;
  StateHash state_hash;
  StoreKind store{};
  std::string content_id;
  Compact<std::uint64_t> size_bytes;
  std::optional<CheckpointIndex> parent;  // a live checkpoint of the caller
  friend bool operator==(const RecordCheckpoint&, const RecordCheckpoint&) = default;
};
TALLY_DESCRIBE(RecordCheckpoint, label, state_hash, store, content_id, size_bytes, parent);

// The owner: the record goes, its deposit comes back.
struct RemoveCheckpoint {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "remove_checkpoint";
  CheckpointIndex index;
  friend bool operator==(const RemoveCheckpoint&, const RemoveCheckpoint&) = default;
};
TALLY_DESCRIBE(RemoveCheckpoint, index);

// An attester of the genesis: what it knows of a checkpoint's bytes. Only ever a step forward.
struct Attest {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "attest";
  AccountId owner;
  CheckpointIndex index;
  Availability availability{};
  friend bool operator==(const Attest&, const Attest&) = default;
};
TALLY_DESCRIBE(Attest, owner, index, availability);

using Call = std::variant<RecordCheckpoint, RemoveCheckpoint, Attest>;

CallProperties properties(const Call& call);

}  // namespace tally::storage_registry
