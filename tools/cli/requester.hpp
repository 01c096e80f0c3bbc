// One requester at work: its channel with a worker, the stream to it, tasks done, checked and paid.
//
//   Requester requester(session, options);
//   TALLY_TRY(requester.start());             // opens a channel if there is none
//   Json result = TALLY_TRY(requester.run(task));
//   Json end = TALLY_TRY(requester.end());    // all countersigned, closed if asked to
//
// Checks come before payment: a result that this machine does not get is not paid for. Every task
// leaves a receipt file, paid or not.
#pragma once

#include <condition_variable>
#include <mutex>

#include "client-sdk/dispute/buyer.hpp"
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
  // One task: done, its receipt kept, checked if chosen, paid.
  CliResult<dispute::Bought> buy(const PreparedTask& task);
  // The same, and what it came to.
  CliResult<Json> run(const PreparedTask& task);
  CliResult<Json> end();
  // After start().
  const KeyPair& key() const { return seat_->key; }

 private:
  CliResult<ChannelId> choose_channel();
  CliResult<std::uint32_t> duty_ppm();
  Fault fault_of(const dispute::BuyError& error) const;

  Session& session_;
  const RequesterOptions& options_;
  AccountId worker_;
  Balance max_price_;
  std::filesystem::path folder_;
  ChannelId channel_;
  DurationMs challenge_period_;     // of the channel
  std::uint64_t receipts_due_ = 0;  // that the co-signed state holds when all is paid
  std::optional<dispute::Buyer> buyer_;
  std::uint32_t duty_ppm_ = 0;  // least share of this worker's tasks to do again
  std::mutex mutex_;
  std::condition_variable submitted_;
  Json submissions_ = Json::array();
  std::optional<Seat> seat_;  // last: its threads write the members above
};

// Makes the folder if it is missing.
CliResult<void> write_output(const std::filesystem::path& path, ByteView bytes);

}  // namespace tally::cli
