// One sandboxed executor process, seen from the worker. Every wait has a deadline; whatever the
// process does, run() returns, and after anything but a proper answer the process is dead.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "worker/executors/executor.hpp"
#include "worker/sandbox/job.hpp"

namespace tally::sandbox {

using Deadline = std::chrono::steady_clock::time_point;

struct JobLimits {
  std::chrono::seconds cpu{30};
  std::chrono::milliseconds wall{30'000};
  std::uint64_t output_bytes = 10 << 20;
};

// Views stay valid while the job runs.
struct Job {
  std::uint64_t id{};
  task::TaskType type{};
  ByteView spec;
  ByteView input;
};

class Process {
 public:
  // Starts a program and waits until it says Ready. `command` is the path and the arguments.
  static Result<std::unique_ptr<Process>, Error> start(const std::vector<std::string>& command,
                                                       std::chrono::milliseconds patience);
  // Kills it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // One job; `cancel` may be set from another thread. After a failure that is not the job's own the
  // process is dead: alive() says so.
  executors::TaskResult run(const Job& job, const JobLimits& limits,
                            const std::atomic<bool>& cancel);

  bool alive() const { return pid_ > 0; }
  const Ready& ready() const { return ready_; }
  pid_t pid() const { return pid_; }

 private:
  Process() = default;
  Failure<task::TaskFailure> killed(task::FailureReason reason, std::string message);
  Failure<task::TaskFailure> died();
  int kill_and_wait();
  void close_pipes();

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  Ready ready_;
};

}  // namespace tally::sandbox
