// One encrypted file with the records of all channels, for the day the disk dies.
//
//   file    "TALLYBK1" ‖ SCALE(cost, salt, nonce) ‖ XChaCha20-Poly1305(SCALE(Backup))
//   key     Argon2id(password, salt) at the file's cost; everything in front of the ciphertext is
//           associated data
//
// A backup is old from the moment it is made. A channel that comes back from one is `restored`:
// it signs nothing but its peer's close and ends by request_close (party.hpp, rule 5). What a
// backup is good for is finding the channels and their newest co-signed states of its day.
//
// Errors say what was expected, what came and what to do. Source: RFC 9106,
// draft-irtf-cfrg-xchacha-03; libsodium.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "client-sdk/channel/journal.hpp"
#include "client-sdk/channel/record.hpp"

namespace tally::channel {

struct Backup {
  Hash genesis_hash;
  TimestampMs made_at;  // of the machine's clock, for people
  std::vector<Record> records;
  friend bool operator==(const Backup&, const Backup&) = default;
};
TALLY_DESCRIBE(Backup, genesis_hash, made_at, records);

struct BackupCost {
  std::uint64_t passes = 3;
  std::uint64_t memory_bytes = 256ULL << 20;
  // Enough to keep a test honest.
  static BackupCost least() { return {1, 8'192}; }
  friend bool operator==(const BackupCost&, const BackupCost&) = default;
};
TALLY_DESCRIBE(BackupCost, passes, memory_bytes);

Result<Bytes, Error> seal_backup(const Backup& backup, std::string_view password,
                                 const BackupCost& cost = {});
Result<Backup, Error> open_backup(ByteView file, std::string_view password);

// Mode 0600, whole or not at all; replaces an older one.
Result<void, Error> write_backup(const std::filesystem::path& path, const Backup& backup,
                                 std::string_view password, const BackupCost& cost = {});
Result<Backup, Error> read_backup(const std::filesystem::path& path, std::string_view password);

// What could be recovered from a backup, without touching anything.
struct Recoverable {
  ChannelId channel_id;
  AccountId peer;
  Stage stage{};
  ChannelVersion newest;
  Balance mine;
  Balance theirs;
  bool signatures_valid{};  // of the newest co-signed state
};
std::vector<Recoverable> verify_backup(const Backup& backup);

}  // namespace tally::channel
