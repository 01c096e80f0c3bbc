// A requester's connection to one worker that comes back by itself.
//
//   auto session = TALLY_TRY(SteadySession::connect(config, payer));
//   TaskReply reply = TALLY_TRY(session->run_unpaid(request));
//
// When the stream breaks in the middle of a task it connects again, until `patience` is over, and
// asks for that task's answer. What the worker has done is not done, and not paid, a second time.
// A worker that knows nothing of the task owes nothing and is owed nothing, so the task is asked
// for anew. Nothing else is tried again: refusals, failures and wrong receipts are the caller's,
// and so is a worker that is connected and does not answer in time.
//
// Calls may be made from several threads; one of them connects for all.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>

#include "client-sdk/task/session.hpp"

namespace tally::task {

struct SteadyConfig {
  SessionConfig session;
  std::chrono::milliseconds patience{60'000};  // after a loss, to be connected again
  std::chrono::milliseconds pause{500};        // between two attempts
  std::stop_token stop;                        // ends the waiting
  std::function<void(const std::string&)> on_lost;
};

class SteadySession {
 public:
  // Fails when nobody answers now: only what is lost later comes back. `payer` must outlive it.
  static Result<std::unique_ptr<SteadySession>, Error> connect(const SteadyConfig& config,
                                                               PayerPort& payer);

  Result<TaskReply, TaskError> run_unpaid(const TaskRequest& request);
  Result<void, TaskError> pay(const TaskReply& reply);

 private:
  using SessionPtr = std::shared_ptr<Session>;
  SteadySession(SteadyConfig config, PayerPort& payer, SessionPtr session)
      : config_(std::move(config)), payer_(payer), session_(std::move(session)) {}
  SessionPtr current();
  // In the place of one that has ended.
  Result<SessionPtr, TaskError> again_after(const SessionPtr& ended);

  SteadyConfig config_;
  PayerPort& payer_;
  std::mutex mutex_;
  std::condition_variable_any pause_;
  SessionPtr session_;
};

}  // namespace tally::task
