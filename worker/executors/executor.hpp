// One interface to all work: (type, spec, input) -> output | failure. Pure computation: no file, no
// socket, no clock; the same answer on every machine. Limits of size are those of
// client-sdk/task/specs.hpp and are checked here again, since the sandboxed child trusts nobody.
//
// Memory that cannot be had is a failure (out_of_memory), not a crash.
#pragma once

#include "client-sdk/task/failure.hpp"
#include "client-sdk/task/specs.hpp"
#include "primitives/ids.hpp"

namespace tally::executors {

struct TaskOutput {
  Bytes bytes;
  Hash hash;  // as client-sdk/task/output.hpp defines it
  friend bool operator==(const TaskOutput&, const TaskOutput&) = default;
};
TALLY_DESCRIBE(TaskOutput, bytes, hash);

using TaskResult = Result<TaskOutput, task::TaskFailure>;

TaskResult execute(task::TaskType type, ByteView spec, ByteView input);

}  // namespace tally::executors
