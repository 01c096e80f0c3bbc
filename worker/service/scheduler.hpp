// Which accepted task runs next, and the threads that run them.
//
// Order: higher priority first, then first come first served. A task that is cancelled or expired
// when its turn comes is not run. stop() cancels what runs and drops what waits, telling each task.
#pragma once

#include <functional>
#include <memory>

#include "worker/service/job.hpp"

namespace tally::worker {

class Scheduler {
 public:
  using Runner = std::function<executors::TaskResult(const TaskJob&)>;

  struct Config {
    std::size_t threads = 1;
    Runner run;
  };

  explicit Scheduler(Config config);
  ~Scheduler();

  void submit(JobPtr job);
  std::size_t waiting() const;
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tally::worker
