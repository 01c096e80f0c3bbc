// How a requester buys a task so that a wrong result is noticed, and can be proved later:
//
//   Buyer buyer(config);
//   auto bought = buyer.run(seller_of(session), request, duty);  // kept, checked if chosen, paid
//
// In this order: the task is done; its receipt is kept on disk; if the requester's VRF chooses it
// (or the worker is new: audit_duty_ppm) it is done again here, and the proof of the choice is
// kept with the receipt; only then it is paid. A result that differs is not paid, and the error
// names the receipt file, which is what a dispute begins with (client-sdk/dispute/open.hpp).
//
// Calls may be made from several threads.
#pragma once

#include "client-sdk/dispute/receipt_file.hpp"
#include "client-sdk/task/checking.hpp"
#include "client-sdk/task/steady.hpp"
#include "modules/workers/types.hpp"

namespace tally::dispute {

// The share of a worker's tasks that a requester checks by duty, in millionths, by how many tasks
// of the worker the chain has counted: fewer than 10, all; up to 100, one in ten; above, none.
std::uint32_t audit_duty_ppm(workers::AuditBand band);

// One worker's stream, or what stands for it in a test.
struct Seller {
  std::function<Result<task::TaskReply, task::TaskError>(const task::TaskRequest&)> run_unpaid;
  std::function<Result<void, task::TaskError>(const task::TaskReply&)> pay;
  std::string endpoint;
  DurationMs challenge_period;  // of the channel that pays; 0: not known
};
// `session` must outlive the seller.
Seller seller_of(task::SteadySession& session, std::string endpoint, DurationMs challenge_period);

// One of several workers, for redundancy.
struct RedundantSeller {
  task::Candidate candidate;
  std::string endpoint;
  DurationMs challenge_period;
};

struct BuyerConfig {
  ReceiptFolder receipts;
  Secret vrf_seed;                    // task::spot_check_seed(key)
  std::uint32_t check_ppm = 100'000;  // of tasks, in millionths
  task::DoAgain again;
  std::function<TimestampMs()> clock;  // this machine's
};

struct Bought {
  task::TaskReply reply;
  std::filesystem::path receipt_file;
  bool checked{};
};

struct BuyError {
  task::TaskError task;
  // The kept receipt, where the task was done. With kind bad_receipt and code wrong_result it is
  // evidence: `expected` and `got` of the task error are the two output hashes.
  std::optional<std::filesystem::path> receipt_file;
};

struct BoughtTwice {
  task::RedundantReply reply;
  std::vector<std::filesystem::path> receipt_files;  // of all answers
  std::vector<std::filesystem::path> bad_receipts;   // of those that differed: evidence
};

class Buyer {
 public:
  explicit Buyer(BuyerConfig config);

  // `duty_ppm` as audit_duty_ppm() gives it; it raises the configured share, never lowers it.
  Result<Bought, BuyError> run(const Seller& seller, const task::TaskRequest& request,
                               std::uint32_t duty_ppm) const;
  // Two workers, a third only when they differ or one fails; task/checking.hpp has the rules.
  // Receipts of all answers are kept; those that differ from the majority carry its hash as check.
  Result<BoughtTwice, BuyError> run_redundant(const std::vector<RedundantSeller>& sellers,
                                              const task::TaskRequest& request) const;
  const ReceiptFolder& receipts() const { return config_.receipts; }

 private:
  struct Where {
    std::string endpoint;
    DurationMs challenge_period;
  };
  Result<std::filesystem::path, task::TaskError> keep(const task::TaskRequest& request,
                                                      const task::TaskReply& reply,
                                                      const Where& where) const;
  Result<bool, task::TaskError> check(const task::TaskRequest& request,
                                      const task::TaskReply& reply,
                                      const std::filesystem::path& path,
                                      std::uint32_t duty_ppm) const;

  BuyerConfig config_;
  task::SpotChecker checker_;
};

}  // namespace tally::dispute
