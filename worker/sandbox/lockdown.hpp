// Closes the sandbox around the calling process, from inside, once and for good. The process must
// have one thread, its input on descriptor 0 and its output on descriptor 1.
//
// In order: it dies with its parent; new privileges, core dumps, new descriptors, written files and
// child processes are forbidden; memory is bounded; it moves to an empty network namespace where
// that is allowed; Landlock forbids every file and port that the kernel's version knows of; seccomp
// kills the process at any system call beyond reading input, writing output, memory and exit.
//
// With a GPU the driver needs more (its devices are already open): ioctl, threads and polling are
// allowed then, and address space is not bounded, since CUDA reserves hundreds of GiB of it.
#pragma once

#include <cstdint>

#include "primitives/result.hpp"
#include "worker/sandbox/job.hpp"

namespace tally::sandbox {

struct LockdownOptions {
  std::uint64_t memory_bytes{};  // beyond what the process has mapped already
  bool gpu{};
};

Result<Ready, Error> lock_down(const LockdownOptions& options);

}  // namespace tally::sandbox
