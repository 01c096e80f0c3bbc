#include "worker/service/scheduler.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>

namespace tally::worker {
namespace {

using task::Priority;

struct Log {
  std::mutex mutex;
  std::vector<std::uint64_t> ran;
  std::vector<std::pair<std::uint64_t, bool>> done;  // id, whether it went well
};

JobPtr job(Log& log, std::uint64_t id, Priority priority = Priority::normal) {
  auto out = std::make_shared<TaskJob>();
  out->id = id;
  out->priority = priority;
  out->expires = std::chrono::steady_clock::now() + std::chrono::hours(1);
  out->on_started = [] {};
  out->on_done = [&log](const TaskJob& j, JobOutcome outcome) {
    const std::lock_guard lock(log.mutex);
    log.done.emplace_back(j.id, outcome.result.ok());
  };
  return out;
}

// Task 0 holds the only thread until the gate opens.
struct OneThread {
  Log log;
  std::promise<void> gate;
  std::promise<void> blocked;
  std::unique_ptr<Scheduler> scheduler;

  OneThread() {
    scheduler = std::make_unique<Scheduler>(
        Scheduler::Config{.threads = 1, .run = [this](const TaskJob& j) -> executors::TaskResult {
                            if (j.id == 0) {
                              blocked.set_value();
                              gate.get_future().wait();
                            }
                            const std::lock_guard lock(log.mutex);
                            log.ran.push_back(j.id);
                            return executors::TaskOutput{};
                          }});
    scheduler->submit(job(log, 0));
    blocked.get_future().wait();
  }
};

TEST_CASE("higher priority first, then first come first served") {
  OneThread one;
  one.scheduler->submit(job(one.log, 1, Priority::low));
  one.scheduler->submit(job(one.log, 2));
  one.scheduler->submit(job(one.log, 3, Priority::high));
  one.scheduler->submit(job(one.log, 4));
  one.scheduler->submit(job(one.log, 5, Priority::high));
  CHECK(one.scheduler->waiting() == 5);
  std::promise<void> last;
  auto sentinel = job(one.log, 6, Priority::low);
  sentinel->on_done = [&](const TaskJob&, JobOutcome) { last.set_value(); };
  one.scheduler->submit(sentinel);
  one.gate.set_value();
  last.get_future().wait();
  CHECK(one.log.ran == std::vector<std::uint64_t>{0, 3, 5, 2, 4, 1, 6});
}

TEST_CASE("cancelled and expired tasks are answered and not run") {
  OneThread one;
  auto cancelled = job(one.log, 1);
  cancelled->cancelled = true;
  auto expired = job(one.log, 2);
  expired->expires = std::chrono::steady_clock::now();
  one.scheduler->submit(cancelled);
  one.scheduler->submit(expired);
  one.gate.set_value();
  one.scheduler->stop();
  CHECK(one.log.ran == std::vector<std::uint64_t>{0});
  CHECK(one.log.done ==
        std::vector<std::pair<std::uint64_t, bool>>{{0, true}, {1, false}, {2, false}});
}

TEST_CASE("stopping answers every task that waits") {
  OneThread one;
  for (std::uint64_t id = 1; id <= 3; ++id) one.scheduler->submit(job(one.log, id));
  std::thread opener([&] { one.gate.set_value(); });
  one.scheduler->stop();
  opener.join();
  CHECK(one.log.done.size() == 4);
}

}  // namespace
}  // namespace tally::worker
