// Results that may not have arrived: a requester that timed out, or connected again, asks for them
// once more. Bounded in number and bytes; the oldest go first.
//
// `owed`: the receipt left at least once, so it counts as unpaid work, in the journal too. Such a
// result is written to a folder before its receipt leaves, so that a worker that was killed can
// still be asked for what it is owed; else the debt would stand in the way of all later tasks, and
// nobody could pay it. Written, not synced: a power cut may take the newest. One that never left
// costs nothing until it is asked for, and is not written.
//
// No locks: the task service calls it under its own.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "client-sdk/task/receipt.hpp"
#include "worker/service/kept_files.hpp"

namespace tally::worker {

struct HeldResult {
  AccountId requester;
  task::SignedReceipt receipt;
  Bytes sealed_output;  // for the requester alone
  bool owed{};
};

class HeldResults {
 public:
  struct Limits {
    std::size_t results = 256;
    std::size_t bytes = std::size_t{64} << 20;
  };
  // Without a folder they are gone with the process.
  explicit HeldResults(std::optional<KeptFiles> folder)
      : HeldResults(std::move(folder), Limits{}) {}
  HeldResults(std::optional<KeptFiles> folder, const Limits& limits)
      : folder_(std::move(folder)), limits_(limits) {}

  // What an earlier process was owed. The texts name what could not be read and was thrown away.
  Result<std::vector<std::string>, Error> load();
  // An error: it is held, and could not be written.
  Result<void, Error> add(HeldResult result);
  Result<void, Error> owe(HeldResult& held);
  HeldResult* find(const ChannelId& channel, std::uint64_t task);

 private:
  using Key = std::pair<ChannelId, std::uint64_t>;
  struct Entry {
    HeldResult result;
    std::string file;  // empty: not written
  };
  static Key key_of(const HeldResult& result);
  static std::size_t size_of(const HeldResult& result);
  Result<HeldResult, Error> read(const std::string& name) const;
  Result<void, Error> write(Entry& entry);
  void insert(HeldResult result, std::string file);

  std::optional<KeptFiles> folder_;
  Limits limits_;
  std::map<Key, Entry> results_;
  std::deque<Key> order_;
  std::size_t bytes_ = 0;
};

}  // namespace tally::worker
