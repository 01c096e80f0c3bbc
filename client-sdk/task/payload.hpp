// The sealed part of a task: what only requester and worker may read.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "primitives/codec/scale.hpp"
#include "primitives/crypto/seal.hpp"
#include "primitives/ids.hpp"

namespace tally::task {

constexpr std::size_t kMaxSpecBytes = 64 << 10;
constexpr std::size_t kMaxInputBytes = 32 << 20;
constexpr std::size_t kMaxInputParts = 64;
// What a worker keeps for one connection; the oldest parts go first.
constexpr std::size_t kMaxKeptBytes = 64 << 20;
// A frame of the stream: an input, its seal and its envelope.
constexpr std::size_t kMaxFrameBytes = kMaxInputBytes + (1 << 20);

// Bytes of the input. `keep` asks the worker to hold them for later tasks of this connection, which
// then name them by hash: a word list is sent once for many searches.
struct InlinePart {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "inline";
  bool keep{};
  Bytes bytes;
};
TALLY_DESCRIBE(InlinePart, keep, bytes);
// blake2_256 of a part that was sent with `keep`. If the worker no longer has it, it refuses the
// task with missing_part.
struct KeptPart {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "kept";
  Hash hash;
};
TALLY_DESCRIBE(KeptPart, hash);
using InputPart = std::variant<InlinePart, KeptPart>;

// The input is the parts one after another.
struct TaskPayload {
  Bytes spec;
  BoundedVec<InputPart, kMaxInputParts> input;
  SealKey reply_key;  // the output is sealed to it
};
TALLY_DESCRIBE(TaskPayload, spec, input, reply_key);

struct TaskRef {
  ChannelId channel_id;
  std::uint64_t task_id{};
};
std::string task_context(const TaskRef& task);
std::string result_context(const TaskRef& task);

}  // namespace tally::task
