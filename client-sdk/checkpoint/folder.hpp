// The local folder of checkpoints: states by hash, pushes under way, notes of what matched.
// Internal to client-sdk/checkpoint.
//
// Nothing in it is trusted: states are hashed when they are read, and a note is for people.
#pragma once

#include <filesystem>
#include <optional>

#include "client-sdk/checkpoint/checkpoint.hpp"

namespace tally::checkpoint {

// Of states; the ones that were not used for longest go first.
constexpr std::uint64_t kCacheBytes = std::uint64_t{1} << 30;

// One process a push: a lock that the system takes away when the process ends, however it ends.
class PushLock {
 public:
  // Nothing when another process has it.
  static Result<std::optional<PushLock>, Error> take(const std::filesystem::path& file);
  PushLock(PushLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  PushLock& operator=(PushLock&&) = delete;
  ~PushLock();

 private:
  explicit PushLock(int file) : file_(file) {}
  int file_;
};

class Folder {
 public:
  static Result<Folder, Error> open(const std::filesystem::path& root);

  // The state, if a copy is here and has this hash; one that has another is deleted.
  std::optional<Bytes> state(const StateHash& hash) const;
  bool has_state(const StateHash& hash) const;
  Result<void, Error> keep_state(const StateHash& hash, ByteView state) const;

  std::filesystem::path push_folder(const Hash& push) const;
  Result<std::optional<PushLock>, Error> lock(const Hash& push) const;

  void note_match(const AccountId& owner, const Entry& entry) const;
  std::optional<Matched> match(const AccountId& owner, const Entry& entry) const;

 private:
  explicit Folder(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path state_path(const StateHash& hash) const;
  std::filesystem::path match_path(const AccountId& owner, CheckpointIndex index) const;
  void make_room(std::uint64_t bytes) const;

  std::filesystem::path root_;
};

}  // namespace tally::checkpoint
