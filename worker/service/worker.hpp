// tally-worker, put together: sandbox pools, probe, chain client, channels, task service.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "worker/sandbox/pool.hpp"
#include "worker/service/config.hpp"
#include "worker/service/probe.hpp"
#include "worker/service/task_service.hpp"

namespace tally::worker {

using Log = std::function<void(LogLevel, const std::string&)>;

// The pools of executors: this very program, started again as `--executor`.
struct Executors {
  std::unique_ptr<sandbox::Pool> cpu;
  std::unique_ptr<sandbox::Pool> gpu;  // null: no device; vector_search then runs on the CPU
  std::string gpu_name;

  executors::TaskResult run(const AccountId& tenant, const sandbox::Job& job,
                            const sandbox::JobLimits& limits, const std::atomic<bool>& cancel);
};
Result<Executors, Error> start_executors(const WorkerConfig& config, const Log& log);
sandbox::JobLimits limits_of(const WorkerConfig& config, std::chrono::milliseconds timeout);

Result<KeyPair, Error> load_account(const AccountConfig& config);

class Worker {
 public:
  // `stop_wanted` is asked while it waits for the node; true ends the start with an error.
  static Result<std::unique_ptr<Worker>, Error> start(const WorkerConfig& config, const Log& log,
                                                      const std::function<bool()>& stop_wanted);
  // Stops taking tasks, tells requesters, cancels what runs, and closes the journal.
  ~Worker();
  ServiceCounters counters() const;
  std::uint16_t port() const;
  // Writes down what was proved of the chain's validators, for the next start. To be called now and
  // then: what is not kept is older at the next start.
  Result<void, Error> keep_trust() const;

 private:
  struct State;
  explicit Worker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::worker
