// A task between its acceptance and its end, inside the worker.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include "client-sdk/task/specs.hpp"
#include "primitives/crypto/seal.hpp"
#include "primitives/ids.hpp"
#include "worker/executors/executor.hpp"

namespace tally::worker {

struct TaskJob;
// Shared between the stream that asked for it, the queue, and the thread that runs it.
using JobPtr = std::shared_ptr<TaskJob>;

struct JobOutcome {
  executors::TaskResult result;
  TimestampMs started_ms;
  TimestampMs finished_ms;
};

struct TaskJob {
  AccountId requester;
  ChannelId channel_id;
  std::uint64_t id{};
  task::TaskType type{};
  task::Priority priority{};
  Bytes spec;
  Bytes input;
  SealKey reply_key;
  task::TaskPrice rate;           // what the worker asks for this type
  Balance price;                  // at most
  std::uint64_t metered_units{};  // at most
  std::chrono::milliseconds timeout{};
  // When it is no longer worth starting.
  std::chrono::steady_clock::time_point expires{};
  std::atomic<bool> cancelled{false};
  std::function<void()> on_started;
  // Called once, from the thread that ran it; not for a task that still waited for credit when its
  // requester left.
  std::function<void(const TaskJob&, JobOutcome)> on_done;
};

TimestampMs wall_clock();

}  // namespace tally::worker
