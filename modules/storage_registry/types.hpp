// What the chain keeps of a checkpoint: where the bytes of a computation's state lie, and the hash
// that they must have. The chain never sees the bytes; a client trusts the hash alone.
//
// A checkpoint belongs to the account that recorded it and has an index there: the first is 0, and
// none is ever used again. Its label names the computation; checkpoints of one owner and label form
// a list by age, and `latest(owner, label)` is its newest one that is live (README.md). Sizes are
// in bytes, deposits in µCC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "primitives/balance.hpp"
#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/content_id.hpp"
#include "primitives/ids.hpp"

namespace tally::storage_registry {

constexpr std::size_t kMaxLabel = 64;           // characters
constexpr std::size_t kMaxCheckpoints = 1'024;  // live ones of an account
constexpr std::size_t kMaxAttesters = 16;

TALLY_STRONG_INT(CheckpointIndex, std::uint64_t);  // of one owner
TALLY_STRONG_BYTES(StateHash, 32);                 // sha256 of the plain state

// Off-chain knowledge about the bytes: handed to the store, in it for good, and read back from it.
enum class Availability : std::uint8_t { submitted = 0, confirmed = 1, available = 2 };
TALLY_DESCRIBE_ENUM(Availability, submitted, confirmed, available);

// What an attester said last. Nobody has to believe it.
struct Attestation {
  Availability availability{};
  AccountId attester;
  BlockNumber block;
  TimestampMs time;  // header time
  friend bool operator==(const Attestation&, const Attestation&) = default;
};
TALLY_DESCRIBE(Attestation, availability, attester, block, time);

struct Checkpoint {
  std::string label;
  StateHash state_hash;
  StoreKind store{};                      // a directory is the owner's own
  std::string content_id;                 // form: primitives/content_id.hpp
  std::uint64_t size_bytes{};             // of the plain state
  std::optional<CheckpointIndex> parent;  // what it goes on from, as its owner says; was live then
  Balance deposit;                        // held of the owner until it is removed
  BlockNumber block;
  TimestampMs time;  // header time
  std::optional<Attestation> attestation;
  // Its neighbours among the live checkpoints of this owner and label.
  std::optional<CheckpointIndex> older;
  std::optional<CheckpointIndex> newer;
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};
TALLY_DESCRIBE(Checkpoint, label, state_hash, store, content_id, size_bytes, parent, deposit, block,
               time, attestation, older, newer);

// An account's checkpoints. The record stays when the last one is removed, so that no index comes
// twice.
struct Owner {
  CheckpointIndex next;                               // of its next checkpoint
  BoundedVec<CheckpointIndex, kMaxCheckpoints> live;  // ascending
  friend bool operator==(const Owner&, const Owner&) = default;
};
TALLY_DESCRIBE(Owner, next, live);

using Attesters = BoundedVec<AccountId, kMaxAttesters>;  // each once

// 1 to kMaxLabel characters from '!' to '~': printable ASCII without the space.
bool label_is_valid(std::string_view label);

}  // namespace tally::storage_registry
