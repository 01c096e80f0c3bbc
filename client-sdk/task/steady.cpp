#include "client-sdk/task/steady.hpp"

#include "primitives/bytes.hpp"

namespace tally::task {

using Clock = std::chrono::steady_clock;

Result<std::unique_ptr<SteadySession>, Error> SteadySession::connect(const SteadyConfig& config,
                                                                     PayerPort& payer) {
  auto session = TALLY_TRY(Session::connect(config.session, payer));
  return std::unique_ptr<SteadySession>(new SteadySession(config, payer, std::move(session)));
}

SteadySession::SessionPtr SteadySession::current() {
  const std::lock_guard lock(mutex_);
  return session_;
}

// The others wait at the lock meanwhile, and find the new one.
Result<SteadySession::SessionPtr, TaskError> SteadySession::again_after(const SessionPtr& ended) {
  std::unique_lock lock(mutex_);
  if (session_ != ended) return session_;
  const std::string why = ended->why_ended();
  if (config_.on_lost) config_.on_lost(why + "; connecting again");
  ended->close();
  const auto deadline = Clock::now() + config_.patience;
  while (session_ == ended) {
    auto connected = Session::connect(config_.session, payer_);
    if (connected) return session_ = *std::move(connected);
    const bool stopped = config_.stop.stop_requested();
    if (stopped || Clock::now() >= deadline) {
      return fail(TaskError{TaskErrorKind::disconnected, "disconnected",
                            why + ", and did not come back: " + connected.error().message});
    }
    pause_.wait_for(lock, config_.stop, config_.pause, [] { return false; });
  }
  return session_;
}

Result<TaskReply, TaskError> SteadySession::run_unpaid(const TaskRequest& request) {
  SessionPtr session = current();
  auto reply = session->run_unpaid(request);
  while (!reply && reply.error().kind == TaskErrorKind::disconnected && !session->alive()) {
    const auto unanswered = reply.error().unanswered;
    auto next = again_after(session);
    if (!next) {
      next.error().unanswered = unanswered;
      return fail(std::move(next).error());
    }
    session = *std::move(next);
    if (unanswered) {
      reply = session->resume(*unanswered);
      const bool unknown = !reply && reply.error().kind == TaskErrorKind::refused &&
                           reply.error().code == "unknown_task";
      if (!unknown) continue;
    }
    reply = session->run_unpaid(request);
  }
  return reply;
}

// Signed and in the journal; it leaves now, or when the worker is connected again.
Result<void, TaskError> SteadySession::pay(const TaskReply& reply) {
  return current()->pay(reply);
}

}  // namespace tally::task
