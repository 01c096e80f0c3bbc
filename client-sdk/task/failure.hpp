// Why a task was not done, as the worker tells its requester and as the dead-letter list keeps it.
#pragma once

#include <cstdint>
#include <string>

#include "primitives/codec/scale.hpp"

namespace tally::task {

enum class FailureReason : std::uint8_t {
  bad_spec = 0,       // malformed or outside the limits
  bad_input = 1,      // does not fit the spec, or is damaged
  unsupported = 2,    // a type that this worker does not offer
  out_of_memory = 3,  // past the memory limit
  cpu_time = 4,       // past the CPU time limit
  wall_time = 5,      // past the task's timeout
  crashed = 6,        // the executor died
  violation = 7,      // the executor tried what its sandbox forbids
  bad_answer = 8,     // the executor answered nonsense
  cancelled = 9,      // the worker is shutting down, or the requester went away
  bad_module = 10,    // a guest's module is malformed, or has what is not allowed
  trapped = 11,       // a guest trapped, or broke the rules of its exports
  out_of_fuel = 12,   // a guest used more than the fuel of one step
};
TALLY_DESCRIBE_ENUM(FailureReason, bad_spec, bad_input, unsupported, out_of_memory, cpu_time,
                    wall_time, crashed, violation, bad_answer, cancelled, bad_module, trapped,
                    out_of_fuel);

struct TaskFailure {
  FailureReason reason{};
  std::string message;
  friend bool operator==(const TaskFailure&, const TaskFailure&) = default;
};
TALLY_DESCRIBE(TaskFailure, reason, message);

}  // namespace tally::task
