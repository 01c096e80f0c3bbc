// From a receipt file to a dispute on the chain, in one call:
//
//   auto opened = open_dispute(chain, key, {.receipt_file = path, .reason = "wrong count"},
//                              [](const DisputePlan& plan) { return ask(plan); });
//
// Everything that the chain would refuse, and everything that would make the dispute pointless, is
// checked before any money is at stake; what speaks against it without forbidding it is a warning
// in the plan, which is shown before `agree` is asked. Reads are proved.
//
// An input longer than a block takes must be served: start a content server on the receipt folder's
// inputs (client-sdk/content/server.hpp), name its address in `locations`, and keep it up until the
// dispute ends. The challenger loses where verifiers cannot fetch the input.
//
// A requester may leave the dispute to somebody else: task::sign_mandate
// (primitives/task/mandate.hpp) gives the bearer what DisputeRequest.mandate asks for.
#pragma once

#include "client-sdk/chain/client.hpp"
#include "client-sdk/dispute/receipt_file.hpp"
#include "modules/disputes/api.hpp"
#include "modules/disputes/calls.hpp"
#include "modules/workers/types.hpp"
#include "primitives/task/mandate.hpp"

namespace tally::dispute {

// `code` is stable: file, network, other_chain, not_entitled, tolerant_type, price, too_large,
// no_location, channel, too_old, not_a_worker, already_disputed, already_decided, already_tried,
// pool_too_small, funds, declined; or what the chain answered.
struct DisputeError {
  std::string code;
  std::string message;
};
template <class T>
using DisputeResult = Result<T, DisputeError>;

// What is at stake, and how it stands now.
struct AtStake {
  disputes::Stakes stakes;    // a vote's fee, the bond, an appeal's bond, the commit window
  Balance award;              // what the winner gets from the loser
  Balance burn;               // what the loser loses beside
  Balance worker_covers;      // of the bond, by the worker's own stake that is not frozen
  Balance challenger_free;    // credits that can be held
  TimestampMs receipt_ended;  // the worker's clock
  DurationMs left;            // to challenge; a clock that stops while a dispute on it runs
  std::uint32_t drawable{};   // verifiers that could be drawn now
  std::uint32_t pool_min{};   // below that a challenge is refused
};

struct DisputePlan {
  ReceiptFile file;
  disputes::Challenge challenge;
  AtStake at_stake;
  std::vector<std::string> warnings;
};

struct DisputeRequest {
  std::filesystem::path receipt_file;
  std::string reason;
  std::vector<std::string> locations = {};  // where the input is served, "host:port"
  std::optional<task::SignedMandate> mandate =
      {};  // of the requester, if the challenger is another
};

// The call and what it means, without doing it.
DisputeResult<DisputePlan> plan_dispute(client::ChainClient& chain, const AccountId& challenger,
                                        const DisputeRequest& request);

struct OpenedDispute {
  disputes::DisputeNumber number;
  client::TxOutcome outcome;
};
// Returns when the challenge is final.
DisputeResult<OpenedDispute> open_dispute(client::ChainClient& chain, const KeyPair& challenger,
                                          const DisputePlan& plan);
// Both in one; `agree` is asked once, with all checks passed and nothing at stake yet.
DisputeResult<OpenedDispute> open_dispute(client::ChainClient& chain, const KeyPair& challenger,
                                          const DisputeRequest& request,
                                          const std::function<bool(const DisputePlan&)>& agree);

// Before a requester buys: whether this worker's own stake covers a dispute about such a task, and
// whether enough verifiers could be drawn for it.
struct WorkerCheck {
  workers::Worker worker;
  disputes::Stakes stakes;
  std::uint32_t drawable{};
  std::uint32_t pool_min{};
  std::uint32_t audit_duty_ppm{};  // for Buyer::run
  // Empty: buy. Else why not: not registered, banned, stake too thin. Too small a pool is not a
  // reason: the type then counts as tolerant, and `tolerant_here` says so.
  std::string refusal;
  bool tolerant_here{};
};
struct TaskPlan {
  task::TaskType type{};
  Balance price;
  std::uint64_t metered_units{};
};
DisputeResult<WorkerCheck> check_worker(client::ChainClient& chain, const AccountId& worker,
                                        const AccountId& requester, const TaskPlan& task);

}  // namespace tally::dispute
