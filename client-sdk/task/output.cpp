#include "client-sdk/task/output.hpp"

#include "client-sdk/task/image.hpp"
#include "client-sdk/task/wasm.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

Result<Hash, Error> image_hash(ByteView spec_bytes, ByteView output) {
  const auto spec = decode<ImageResizeSpec>(spec_bytes);
  if (!spec) return fail_with("the task's spec is malformed: " + to_text(spec.error()));
  const auto image = TALLY_TRY(
      decode_image(output, {.format = spec->format, .width = spec->width, .height = spec->height}));
  return pixel_hash(image);
}

template <class Output>
Result<Hash, Error> scale_hash(ByteView output) {
  const auto decoded = decode<Output>(output);
  if (!decoded) return fail_with("the output is malformed: " + to_text(decoded.error()));
  return blake2_256(output);
}

}  // namespace

Result<Hash, Error> output_hash(TaskType type, ByteView spec, ByteView output) {
  switch (type) {
    case TaskType::prime_calculation:
      return scale_hash<PrimeOutput>(output);
    case TaskType::vector_search:
      return scale_hash<VectorSearchOutput>(output);
    case TaskType::image_resize:
      return image_hash(spec, output);
    case TaskType::custom_wasm:
      return scale_hash<WasmOutput>(output);
  }
  return fail_with("unknown task type " + to_decimal(static_cast<std::uint8_t>(type)));
}

}  // namespace tally::task
