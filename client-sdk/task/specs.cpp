#include "client-sdk/task/specs.hpp"

#include "client-sdk/task/wasm.hpp"

namespace tally::task {

namespace {

std::string number(std::uint64_t value) {
  return to_decimal(value);
}

template <class Spec>
Result<Spec, Error> decode_spec(ByteView bytes) {
  auto spec = decode<Spec>(bytes);
  if (!spec) return fail_with("the task's spec is malformed: " + to_text(spec.error()));
  return *std::move(spec);
}

Result<void, Error> check_side(std::string_view what, std::uint32_t width, std::uint32_t height) {
  const std::string name(what);
  if (width == 0 || height == 0 || width > kMaxImageSide || height > kMaxImageSide) {
    return fail_with(name + " must have sides of 1 to " + number(kMaxImageSide) + " pixels, got " +
                     number(width) + " x " + number(height));
  }
  if (std::uint64_t{width} * height > kMaxImagePixels) {
    return fail_with(name + " must have at most " + number(kMaxImagePixels) + " pixels, got " +
                     number(std::uint64_t{width} * height));
  }
  return {};
}

}  // namespace

Result<void, Error> check(const PrimeSpec& spec, std::size_t input_size) {
  if (input_size != 0) {
    return fail_with("prime_calculation takes no input, got " + number(input_size) + " bytes");
  }
  if (spec.lo > spec.hi || spec.hi > kMaxPrimeBound) {
    return fail_with("expected lo <= hi <= " + number(kMaxPrimeBound) + ", got lo " +
                     number(spec.lo) + ", hi " + number(spec.hi));
  }
  if (spec.hi - spec.lo > kMaxPrimeRange) {
    return fail_with("a range holds at most " + number(kMaxPrimeRange) + " integers, got " +
                     number(spec.hi - spec.lo) + "; split it");
  }
  return {};
}

Result<void, Error> check(const VectorSearchSpec& spec, std::size_t input_size) {
  if (spec.dimensions == 0 || spec.dimensions > kMaxDimensions) {
    return fail_with("expected 1 to " + number(kMaxDimensions) + " dimensions, got " +
                     number(spec.dimensions));
  }
  if (spec.count == 0 || spec.count > kMaxVectors) {
    return fail_with("expected 1 to " + number(kMaxVectors) + " vectors, got " +
                     number(spec.count));
  }
  if (spec.queries == 0 || spec.queries > kMaxQueries) {
    return fail_with("expected 1 to " + number(kMaxQueries) + " queries, got " +
                     number(spec.queries));
  }
  if (spec.k == 0 || spec.k > kMaxNeighbours || spec.k > spec.count) {
    return fail_with("expected k of 1 to " +
                     number(std::min<std::uint32_t>(kMaxNeighbours, spec.count)) + ", got " +
                     number(spec.k));
  }
  if (std::size_t{spec.k} * spec.queries > kMaxMatches) {
    return fail_with("k times queries is at most " + number(kMaxMatches) + ", got " +
                     number(std::size_t{spec.k} * spec.queries) + "; send fewer queries a task");
  }
  const std::uint64_t expected = (std::uint64_t{spec.count} + spec.queries) * spec.dimensions;
  if (input_size != expected) {
    return fail_with("expected " + number(expected) + " bytes of vectors and queries, got " +
                     number(input_size));
  }
  return {};
}

Result<void, Error> check(const ImageResizeSpec& spec, std::size_t input_size) {
  TALLY_TRY(check_side("the source", spec.source_width, spec.source_height));
  TALLY_TRY(check_side("the result", spec.width, spec.height));
  const bool jpeg = spec.format == ImageFormat::jpeg;
  if (jpeg ? (spec.quality < 1 || spec.quality > 100) : spec.quality != 0) {
    return fail_with("expected quality 1 to 100 for a JPEG and 0 for a PNG, got " +
                     number(spec.quality));
  }
  if (input_size == 0) return fail_with("expected an image file as input, got nothing");
  return {};
}

Result<std::uint64_t, Error> metered_units(TaskType type, ByteView bytes, std::size_t input_size) {
  switch (type) {
    case TaskType::prime_calculation: {
      const auto spec = TALLY_TRY(decode_spec<PrimeSpec>(bytes));
      TALLY_TRY(check(spec, input_size));
      return spec.hi - spec.lo;
    }
    case TaskType::vector_search: {
      const auto spec = TALLY_TRY(decode_spec<VectorSearchSpec>(bytes));
      TALLY_TRY(check(spec, input_size));
      return std::uint64_t{spec.count} * spec.queries * spec.dimensions;  // <= 2^48
    }
    case TaskType::image_resize: {
      const auto spec = TALLY_TRY(decode_spec<ImageResizeSpec>(bytes));
      TALLY_TRY(check(spec, input_size));
      return std::uint64_t{spec.source_width} * spec.source_height +
             std::uint64_t{spec.width} * spec.height;
    }
    case TaskType::custom_wasm: {
      const auto spec = TALLY_TRY(decode_spec<WasmSpec>(bytes));
      TALLY_TRY(check(spec, input_size));
      return max_fuel(spec, input_size);
    }
  }
  return fail_with("unknown task type " + number(static_cast<std::uint8_t>(type)));
}

Result<std::uint64_t, Error> used_units(TaskType type, ByteView spec, std::size_t input_size,
                                        ByteView output) {
  if (type != TaskType::custom_wasm) return metered_units(type, spec, input_size);
  const auto wasm = TALLY_TRY(decode_spec<WasmSpec>(spec));
  TALLY_TRY(check(wasm, input_size));
  return TALLY_TRY(read_wasm_output(wasm, input_size, output)).fuel;
}

}  // namespace tally::task
