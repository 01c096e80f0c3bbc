// A requester's connection to one worker: tasks over one channel, receipts checked, payments made.
//
//   auto session = TALLY_TRY(Session::connect(config, payer));
//   TaskReply reply = TALLY_TRY(session->run({.type = …, .spec = …, .input = …}));
//
// connect() proves both accounts over both certificates, and checks the worker's signed offer.
// run() seals the task, waits for the result, checks the output's hash and every field of the
// receipt, and pays; it may be called from several threads. A task that fails, or whose receipt is
// wrong, is not paid for. When the stream breaks, every run() under way returns an error that says
// so, with nothing half signed: the channel goes on with the next connection. An answer that did
// not come in time can be had again, on this session or the next one:
//
//   if (reply.error().unanswered) reply = again->resume(*reply.error().unanswered);
//
// Exposure: the worker does at most its offer's credit_window tasks before it is paid. With a
// window of 0 the requester pays first: run_unpaid() pays the price ahead, has one such task done
// at a time, and puts the receipt into the channel as soon as it is checked; so never more than one
// task's price is out without a receipt. What a failed task left is used for the next one.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "client-sdk/task/channel_port.hpp"
#include "client-sdk/task/offer.hpp"
#include "client-sdk/task/receipt.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::task {

struct SessionConfig {
  std::string endpoint;  // host:port
  AccountId worker;      // who must answer there
  KeyPair key;           // the requester's
  Hash genesis_hash;
  std::chrono::milliseconds connect_deadline{10'000};
  // Beyond a task's own timeout: the way there and back, and waiting for its turn.
  std::chrono::milliseconds answer_patience{600'000};
};

// A piece of a task's input; `keep` as in client-sdk/task/payload.hpp.
struct InputPiece {
  ByteView bytes;
  bool keep{};
};

struct TaskRequest {
  TaskType type{};
  ChannelId channel_id;
  Bytes spec;
  std::vector<InputPiece> input;
  Priority priority = Priority::normal;
  Balance max_price;
  std::uint32_t timeout_ms = 30'000;
};

struct TaskReply {
  std::uint64_t task_id{};
  Bytes output;
  SignedReceipt receipt;
  std::chrono::microseconds elapsed{};  // from sending to the output being checked
};

enum class TaskErrorKind : std::uint8_t {
  refused,       // the worker does not take it; `code` says why
  failed,        // the worker could not do it; `code` is the FailureReason
  bad_receipt,   // output or receipt do not hold: not paid
  payment,       // done and checked, but our own party could not pay
  disconnected,  // the stream broke, or the worker did not answer in time
  invalid,       // the request itself
};
TALLY_DESCRIBE_ENUM(TaskErrorKind, refused, failed, bad_receipt, payment, disconnected, invalid);

// A task that was sent and not answered: what it takes to check its answer.
struct Unanswered;

struct TaskError {
  TaskErrorKind kind{};
  std::string code;
  std::string message;
  std::string expected;  // of a refusal that compares numbers
  std::string got;
  std::shared_ptr<const Unanswered> unanswered{};  // whoever keeps the error may resume it
};

class Session {
 public:
  // `payer` must outlive the session.
  static Result<std::unique_ptr<Session>, Error> connect(const SessionConfig& config,
                                                         PayerPort& payer);
  ~Session();

  const WorkerOffer& offer() const;
  // Without a payment: the caller pays (or not) with pay().
  Result<TaskReply, TaskError> run_unpaid(const TaskRequest& request);
  Result<void, TaskError> pay(const TaskReply& reply);
  // The worker's answer once more, checked as the first would have been; not paid. A refusal
  // "unknown_task" means that nothing is owed and that the task can be asked for anew.
  Result<TaskReply, TaskError> resume(const Unanswered& task);
  Result<TaskReply, TaskError> run(const TaskRequest& request);
  // False once the stream has ended; `why` says how.
  bool alive() const;
  std::string why_ended() const;
  // Says bye and closes. Idempotent.
  void close();

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::task
