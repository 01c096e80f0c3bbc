// What passes between the worker and a sandboxed executor, over two pipes.
//
//   executor → worker   frame(Ready)                       once, when its sandbox is closed
//   worker → executor   frame(JobHeader) ‖ input bytes     one job at a time
//   executor → worker   frame(AnswerHeader) ‖ output bytes
//
// A frame is a u32 little-endian length and so many bytes of SCALE, at most kMaxHeader. The worker
// believes nothing that it reads: lengths are bounded before anything is allocated, an answer must
// name the job, and whatever else comes ends the executor.
#pragma once

#include <string>
#include <variant>

#include "client-sdk/task/failure.hpp"
#include "client-sdk/task/specs.hpp"
#include "primitives/ids.hpp"

namespace tally::sandbox {

constexpr std::uint32_t kMaxHeader = 256 << 10;
constexpr std::uint32_t kMaxSpec = 64 << 10;
constexpr std::uint64_t kMaxInput = 64 << 20;
constexpr std::uint64_t kMaxOutput = 64 << 20;

// Which walls stand. Seccomp always does: an executor that cannot install it does not start.
struct Ready {
  std::uint8_t landlock_abi{};  // 0: the kernel has none
  bool network_namespace{};
  std::string gpu;  // the name of the opened device; empty: none
  friend bool operator==(const Ready&, const Ready&) = default;
};
TALLY_DESCRIBE(Ready, landlock_abi, network_namespace, gpu);

struct JobHeader {
  std::uint64_t id{};
  task::TaskType type{};
  Bytes spec;
  std::uint64_t input_size{};
};
TALLY_DESCRIBE(JobHeader, id, type, spec, input_size);

struct JobDone {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "done";
  std::uint64_t output_size{};
  Hash output_hash;
};
TALLY_DESCRIBE(JobDone, output_size, output_hash);
struct JobFailed {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "failed";
  task::TaskFailure failure;
};
TALLY_DESCRIBE(JobFailed, failure);

struct AnswerHeader {
  std::uint64_t id{};
  std::variant<JobDone, JobFailed> answer;
};
TALLY_DESCRIBE(AnswerHeader, id, answer);

template <class T>
Bytes frame(const T& value) {
  const Bytes body = encode(value);
  Bytes out = encode(static_cast<std::uint32_t>(body.size()));
  append(out, body);
  return out;
}

}  // namespace tally::sandbox
