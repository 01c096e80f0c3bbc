#include "worker/service/scheduler.hpp"

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

namespace tally::worker {

namespace {

using task::FailureReason;
using task::TaskFailure;

constexpr std::size_t kPriorities = 3;

JobOutcome not_run(FailureReason reason, std::string message) {
  const TimestampMs now = wall_clock();
  return {fail(TaskFailure{reason, std::move(message)}), now, now};
}

}  // namespace

TimestampMs wall_clock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return TimestampMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count()));
}

struct Scheduler::State {
  Config config;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::array<std::deque<JobPtr>, kPriorities> queues;  // by priority
  std::set<JobPtr> running;
  bool stopping = false;
  std::vector<std::thread> threads;

  void work();
  JobPtr next(std::unique_lock<std::mutex>& lock);
  JobOutcome run(TaskJob& job) const;
};

JobPtr Scheduler::State::next(std::unique_lock<std::mutex>& lock) {
  while (true) {
    for (std::size_t priority = kPriorities; priority-- > 0;) {
      auto& queue = queues[priority];
      if (queue.empty()) continue;
      JobPtr job = std::move(queue.front());
      queue.pop_front();
      return job;
    }
    if (stopping) return nullptr;
    changed.wait(lock);
  }
}

JobOutcome Scheduler::State::run(TaskJob& job) const {
  if (job.cancelled) return not_run(FailureReason::cancelled, "the task was cancelled");
  if (std::chrono::steady_clock::now() >= job.expires) {
    return not_run(FailureReason::wall_time, "the task's time was over before its turn came");
  }
  job.on_started();
  const TimestampMs started = wall_clock();
  auto result = config.run(job);
  return {std::move(result), started, wall_clock()};
}

void Scheduler::State::work() {
  std::unique_lock lock(mutex);
  while (JobPtr job = next(lock)) {
    running.insert(job);
    if (stopping) job->cancelled = true;
    lock.unlock();
    job->on_done(*job, run(*job));
    lock.lock();
    running.erase(job);
  }
}

Scheduler::Scheduler(Config config) : state_(std::make_unique<State>()) {
  state_->config = std::move(config);
  for (std::size_t i = 0; i < state_->config.threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->work(); });
  }
}

Scheduler::~Scheduler() {
  stop();
}

void Scheduler::submit(JobPtr job) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) job->cancelled = true;
    state_->queues[static_cast<std::size_t>(job->priority)].push_back(std::move(job));
  }
  state_->changed.notify_one();
}

std::size_t Scheduler::waiting() const {
  const std::lock_guard lock(state_->mutex);
  std::size_t count = 0;
  for (const auto& queue : state_->queues) count += queue.size();
  return count;
}

void Scheduler::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    for (const JobPtr& job : state_->running) job->cancelled = true;
    for (auto& queue : state_->queues) {
      for (const JobPtr& job : queue) job->cancelled = true;
    }
  }
  state_->changed.notify_all();
  for (auto& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace tally::worker
