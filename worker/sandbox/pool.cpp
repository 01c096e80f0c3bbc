#include "worker/sandbox/pool.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>

namespace tally::sandbox {

namespace {

using task::FailureReason;
using task::TaskFailure;

struct Executor {
  std::unique_ptr<Process> process;
  AccountId tenant;
  std::size_t jobs = 0;
};

}  // namespace

struct Pool::State {
  explicit State(const PoolConfig& pool_config) : config(pool_config) {}

  PoolConfig config;
  Ready walls;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;
  std::size_t running = 0;
  std::size_t waiting = 0;  // run() calls in want of a fresh executor
  std::deque<Executor> fresh;
  std::deque<Executor> used;  // idle, longest idle first
  std::string start_error;    // of the last attempt; empty after a success
  std::uint64_t attempts = 0;
  std::thread starter;

  void keep_spares();
  std::optional<Executor> take(std::unique_lock<std::mutex>& lock, const AccountId& tenant,
                               const std::atomic<bool>& cancel);
  void give_back(Executor executor);
};

// The starter's thread: it lives as long as the pool, and starts what is missing.
void Pool::State::keep_spares() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const std::size_t wanted = std::max({config.spare, waiting, std::size_t{attempts == 0}});
    if (fresh.size() >= wanted || (!start_error.empty() && waiting == 0)) {
      changed.wait(lock);
      continue;
    }
    lock.unlock();
    auto process = Process::start(config.command, config.start_patience);
    lock.lock();
    ++attempts;
    start_error = process ? "" : process.error().message;
    if (process) {
      if (attempts == 1) walls = (*process)->ready();
      fresh.push_back({*std::move(process), {}, 0});
    }
    changed.notify_all();
  }
}

// An executor that worked for this tenant, else a fresh one; nothing if none can be had.
std::optional<Executor> Pool::State::take(std::unique_lock<std::mutex>& lock,
                                          const AccountId& tenant,
                                          const std::atomic<bool>& cancel) {
  const auto own = std::find_if(used.rbegin(), used.rend(),
                                [&](const Executor& e) { return e.tenant == tenant; });
  if (own != used.rend()) {
    Executor executor = std::move(*own);
    used.erase(std::next(own).base());
    return executor;
  }
  const std::uint64_t before = attempts;
  ++waiting;
  changed.notify_all();
  while (fresh.empty() && !stopping && !cancel && (start_error.empty() || attempts == before)) {
    changed.wait_for(lock, std::chrono::milliseconds(100));
  }
  --waiting;
  if (fresh.empty()) return std::nullopt;
  Executor executor = std::move(fresh.front());
  fresh.pop_front();
  executor.tenant = tenant;
  changed.notify_all();
  return executor;
}

void Pool::State::give_back(Executor executor) {
  ++executor.jobs;
  used.push_back(std::move(executor));
  if (used.size() > config.slots) used.pop_front();
}

Pool::Pool(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Pool>, Error> Pool::start(const PoolConfig& config) {
  // Writing to an executor that just died must be an error, not the end of the worker.
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Pool> pool(new Pool(std::make_unique<State>(config)));
  State& state = *pool->state_;
  state.starter = std::thread([&state] { state.keep_spares(); });
  std::unique_lock lock(state.mutex);
  state.changed.wait(lock, [&] { return state.attempts > 0; });
  if (!state.start_error.empty()) return fail_with(state.start_error);
  lock.unlock();
  return pool;
}

Pool::~Pool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->starter.join();
}

executors::TaskResult Pool::run(const AccountId& tenant, const Job& job, const JobLimits& limits,
                                const std::atomic<bool>& cancel) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  while (state.running >= state.config.slots && !cancel) {
    state.changed.wait_for(lock, std::chrono::milliseconds(100));
  }
  if (cancel) return fail(TaskFailure{FailureReason::cancelled, "the task was cancelled"});
  auto executor = state.take(lock, tenant, cancel);
  if (!executor) {
    if (cancel) return fail(TaskFailure{FailureReason::cancelled, "the task was cancelled"});
    return fail(TaskFailure{FailureReason::crashed, state.start_error});
  }
  ++state.running;
  lock.unlock();
  auto result = executor->process->run(job, limits, cancel);
  // A process that is to end does so outside the lock: its end takes a moment.
  std::optional<Executor> retired;
  lock.lock();
  --state.running;
  if (executor->process->alive() && executor->jobs + 1 < kJobsPerProcess) {
    state.give_back(std::move(*executor));
  } else {
    retired = std::move(*executor);
  }
  lock.unlock();
  state.changed.notify_all();
  return result;
}

Ready Pool::walls() const {
  const std::lock_guard lock(state_->mutex);
  return state_->walls;
}

}  // namespace tally::sandbox
