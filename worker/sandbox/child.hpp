// The executor process: `tally-worker --executor`. It closes its sandbox, says Ready, and then does
// one job after another until its input ends.
#pragma once

#include <cstdint>
#include <functional>

#include "worker/executors/executor.hpp"
#include "worker/sandbox/job.hpp"

namespace tally::sandbox {

// What does a job; the production one is executors::execute.
using Execute = std::function<executors::TaskResult(task::TaskType, ByteView spec, ByteView input)>;

struct ChildOptions {
  std::uint64_t memory_bytes{};
  bool gpu{};
};

// Returns the process's exit status: 0 when the input ended, else 3 with a line on standard error.
int run_child(const ChildOptions& options, const Execute& execute);

// The arguments after the program's name with which the pool starts an executor.
std::vector<std::string> child_arguments(const ChildOptions& options);
// run_child with the arguments of this process, if they are those of an executor; otherwise
// nothing. main() calls this first, before it makes a thread or opens a file.
std::optional<int> run_child_if_asked(int argc, char** argv, const Execute& execute);

}  // namespace tally::sandbox
