#include "worker/executors/executor.hpp"

#include <new>

#include "client-sdk/task/image.hpp"
#include "primitives/crypto/hash.hpp"
#include "worker/executors/primes.hpp"
#include "worker/executors/resize.hpp"
#include "worker/executors/vector_search.hpp"
#include "worker/wasm/segment.hpp"

namespace tally::executors {

namespace {

using task::FailureReason;
using task::TaskFailure;

Failure<TaskFailure> failed(FailureReason reason, std::string message) {
  return {TaskFailure{reason, std::move(message)}};
}

// The spec, decoded and found to fit the input.
template <class Spec>
Result<Spec, TaskFailure> checked_spec(ByteView bytes, ByteView input) {
  const auto spec = decode<Spec>(bytes);
  if (!spec) {
    return failed(FailureReason::bad_spec,
                  "the task's spec is malformed: " + to_text(spec.error()));
  }
  const auto checked = task::check(*spec, input.size());
  if (!checked) return failed(FailureReason::bad_spec, checked.error().message);
  return *spec;
}

TaskOutput hashed(Bytes bytes) {
  const Hash hash = blake2_256(bytes);
  return {.bytes = std::move(bytes), .hash = hash};
}

TaskResult run_primes(ByteView spec_bytes, ByteView input) {
  const auto spec = TALLY_TRY(checked_spec<task::PrimeSpec>(spec_bytes, input));
  return hashed(encode(task::PrimeOutput{count_primes(spec)}));
}

TaskResult run_vector_search(ByteView spec_bytes, ByteView input) {
  const auto spec = TALLY_TRY(checked_spec<task::VectorSearchSpec>(spec_bytes, input));
  auto matches = task::VectorSearchOutput{
      *BoundedVec<task::VectorMatch, task::kMaxMatches>::from(nearest_vectors(spec, input))};
  return hashed(encode(matches));
}

// The hash is over what a reader of the output file will see: for a JPEG that is not what went into
// the encoder.
TaskResult run_image_resize(ByteView spec_bytes, ByteView input) {
  const auto spec = TALLY_TRY(checked_spec<task::ImageResizeSpec>(spec_bytes, input));
  auto source = task::decode_image(
      input,
      {.format = spec.source_format, .width = spec.source_width, .height = spec.source_height});
  if (!source) return failed(FailureReason::bad_input, source.error().message);
  const task::Image result = resize(*source, {.width = spec.width, .height = spec.height});
  source->pixels = {};
  auto file = task::encode_image(result, {.format = spec.format, .quality = spec.quality});
  if (!file) return failed(FailureReason::bad_input, file.error().message);
  if (spec.format == task::ImageFormat::png) {
    return TaskOutput{.bytes = *std::move(file), .hash = task::pixel_hash(result)};
  }
  const auto seen = task::decode_image(
      *file, {.format = spec.format, .width = spec.width, .height = spec.height});
  if (!seen) return failed(FailureReason::bad_answer, seen.error().message);
  const Hash hash = task::pixel_hash(*seen);
  return TaskOutput{.bytes = *std::move(file), .hash = hash};
}

TaskResult run_wasm(ByteView spec_bytes, ByteView input) {
  const auto spec = TALLY_TRY(checked_spec<task::WasmSpec>(spec_bytes, input));
  return hashed(encode(TALLY_TRY(wasm::run_segment(spec, input))));
}

}  // namespace

TaskResult execute(task::TaskType type, ByteView spec, ByteView input) try {
  switch (type) {
    case task::TaskType::prime_calculation:
      return run_primes(spec, input);
    case task::TaskType::vector_search:
      return run_vector_search(spec, input);
    case task::TaskType::image_resize:
      return run_image_resize(spec, input);
    case task::TaskType::custom_wasm:
      return run_wasm(spec, input);
  }
  return failed(FailureReason::unsupported,
                "unknown task type " + to_decimal(static_cast<std::uint8_t>(type)));
} catch (const std::bad_alloc&) {
  return failed(FailureReason::out_of_memory,
                "the task needs more memory than the sandbox allows; send a smaller one");
}

}  // namespace tally::executors
