// What a push has done so far, on disk before the next step begins. Internal to
// client-sdk/checkpoint.
//
//   <folder>/blob       what goes to the store, made once
//   <folder>/journal    SCALE(PushJournal), replaced whole at each step
//   <folder>/store/     what the store keeps to go on
//
// The journal goes first when the push is done: what is left without one belongs to no push.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "client-sdk/checkpoint/checkpoint.hpp"

namespace tally::checkpoint {

struct StoredBlob {
  std::string content_id;
  std::uint64_t cost_winston{};
  bool read_back{};  // it came back whole
  friend bool operator==(const StoredBlob&, const StoredBlob&) = default;
};
TALLY_DESCRIBE(StoredBlob, content_id, cost_winston, read_back);

// The transaction that records it. Only these bytes are ever sent, until the chain proves that they
// cannot be included any more.
struct SignedRecord {
  Bytes extrinsic;
  Nonce nonce;
  BlockNumber dead_at;  // from this block on it cannot be included
  friend bool operator==(const SignedRecord&, const SignedRecord&) = default;
};
TALLY_DESCRIBE(SignedRecord, extrinsic, nonce, dead_at);

struct PushJournal {
  static constexpr std::uint8_t kVersion = 1;

  std::uint8_t version = kVersion;
  StateHash state_hash;
  std::optional<CheckpointIndex> parent;
  CheckpointIndex first;  // a record of this push has no lower index
  std::optional<StoredBlob> stored;
  std::optional<SignedRecord> signed_record;
  friend bool operator==(const PushJournal&, const PushJournal&) = default;
};
TALLY_DESCRIBE(PushJournal, version, state_hash, parent, first, stored, signed_record);

class PushFolder {
 public:
  explicit PushFolder(std::filesystem::path path) : path_(std::move(path)) {}

  // Nothing when no push is under way.
  Result<std::optional<PushJournal>, Error> read() const;
  Result<void, Error> write(const PushJournal& journal) const;
  // Makes the folder.
  Result<void, Error> write_blob(ByteView blob) const;
  Result<Bytes, Error> read_blob() const;
  // The push is done, or given up.
  Result<void, Error> remove() const;
  std::filesystem::path store_folder() const { return path_ / "store"; }

 private:
  std::filesystem::path path_;
};

}  // namespace tally::checkpoint
