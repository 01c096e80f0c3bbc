// Tasks that were accepted and not done, kept for the operator: what was asked, by whom, why it
// failed. A folder with one file a letter, mode 0600, since inputs are the requesters' data; the
// oldest letters go when there are more than the limits allow. A file that is damaged is reported
// and left alone.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "client-sdk/task/failure.hpp"
#include "client-sdk/task/specs.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"
#include "worker/service/kept_files.hpp"

namespace tally::worker {

struct DeadLetter {
  TimestampMs at;
  AccountId requester;
  ChannelId channel_id;
  std::uint64_t task_id{};
  task::TaskType type{};
  Bytes spec;
  Bytes input;
  task::TaskFailure failure;
  friend bool operator==(const DeadLetter&, const DeadLetter&) = default;
};
TALLY_DESCRIBE(DeadLetter, at, requester, channel_id, task_id, type, spec, input, failure);

struct DeadLetterLimits {
  std::size_t letters = 256;
  std::uint64_t bytes = 256 << 20;
};

class DeadLetters {
 public:
  // Makes the folder if it is missing.
  static Result<DeadLetters, Error> open(const std::filesystem::path& folder,
                                         const DeadLetterLimits& limits = {});

  // The letter's name: its time and number, ascending.
  Result<std::string, Error> add(const DeadLetter& letter);
  // Oldest first.
  Result<std::vector<std::string>, Error> names() const { return files_.names(); }
  Result<DeadLetter, Error> read(std::string_view name) const;
  Result<void, Error> remove(std::string_view name) { return files_.remove(name); }

 private:
  DeadLetters(KeptFiles files, const DeadLetterLimits& limits)
      : files_(std::move(files)), limits_(limits), mutex_(std::make_unique<std::mutex>()) {}

  KeptFiles files_;
  DeadLetterLimits limits_;
  std::unique_ptr<std::mutex> mutex_;  // so that two do not trim at once
};

}  // namespace tally::worker
