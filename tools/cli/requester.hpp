// One requester at work: its channel with a worker, the stream to it, tasks done, checked and paid.
//
//   Requester requester(session, options);
//   TALLY_TRY(requester.start());             // opens a channel if there is none
//   Json result = TALLY_TRY(requester.run(task));
//   Json end = TALLY_TRY(requester.end());    // all countersigned, closed if asked to
//
// Checks come before payment: a result that this machine does not get is not paid for.
#pragma once

#include <condition_variable>
#include <mutex>

#include "client-sdk/task/checking.hpp"
#include "tools/cli/channels.hpp"
#include "tools/cli/task_file.hpp"

namespace tally::cli {

struct RequesterOptions {
  ChannelOptions seat;  // as, folder, endpoint, channel
  std::string worker;
  std::string deposit;
  bool close = false;
  double check_percent = 10;
  std::string max_price = "1CC";
  std::uint32_t timeout_ms = 30'000;
  std::string priority = "normal";
  std::string output;
};

class Requester {
 public:
  Requester(Session& session, const RequesterOptions& options)
      : session_(session), options_(options) {}

  CliResult<void> start();
  CliResult<Json> run(const PreparedTask& task);
  CliResult<Json> end();

 private:
  CliResult<ChannelId> choose_channel();
  CliResult<void> keep(const task::TaskReply& reply, const PreparedTask& task);
  CliResult<bool> check(const task::TaskRequest& request, const task::TaskReply& reply);

  Session& session_;
  const RequesterOptions& options_;
  AccountId worker_;
  Balance max_price_;
  std::filesystem::path folder_;
  ChannelId channel_;
  std::uint64_t receipts_due_ = 0;  // that the co-signed state holds when all is paid
  std::optional<task::SpotChecker> checker_;
  std::mutex mutex_;
  std::condition_variable submitted_;
  Json submissions_ = Json::array();
  std::optional<Seat> seat_;  // last: its threads write the members above
};

}  // namespace tally::cli
