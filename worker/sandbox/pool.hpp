// A pool of sandboxed executors, so that a task does not wait for a process to start.
//
// Some executors stand ready and have done nothing yet. One that has worked for a tenant (a
// requester's account) serves only that tenant again, so that nothing of one requester's data can
// reach another even through a broken executor; it is retired after kJobsPerProcess jobs, after any
// failure that may have damaged it, or when another tenant needs its place.
//
// Threads: run() may be called from any number of threads; at most `slots` jobs run at a time and
// the rest wait their turn. Executors die with the thread that started them, so the pool has one of
// its own for that.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "primitives/ids.hpp"
#include "worker/sandbox/process.hpp"

namespace tally::sandbox {

constexpr std::size_t kJobsPerProcess = 1'000;

struct PoolConfig {
  std::vector<std::string> command;  // as for Process::start
  std::size_t slots = 1;             // jobs at a time
  std::size_t spare = 1;             // fresh executors kept ready
  std::chrono::milliseconds start_patience{10'000};
};

class Pool {
 public:
  // Starts the first executor at once, so that a worker that cannot have a sandbox says so at
  // start.
  static Result<std::unique_ptr<Pool>, Error> start(const PoolConfig& config);
  ~Pool();

  executors::TaskResult run(const AccountId& tenant, const Job& job, const JobLimits& limits,
                            const std::atomic<bool>& cancel);
  // The walls that the first executor reported.
  Ready walls() const;

 private:
  struct State;
  explicit Pool(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::sandbox
