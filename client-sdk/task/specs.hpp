// What a task of each type asks for, and how it is metered: shared by whoever buys work and whoever
// does it; types and prices are in primitives/task/price.hpp. A task is (type, spec, input); the
// spec is the SCALE encoding of its type's struct, and hashes of spec and input are in the receipt.
//
// All types here are `exact`: any correct machine gives the same output, bit for bit. The limits
// are part of the contract: a spec outside them is refused before anything is allocated or run.
//
//   prime_calculation  counts the primes p with lo <= p < hi. No input. Output: SCALE PrimeOutput.
//   vector_search      exact k nearest neighbours. Input: `count` vectors, then `queries` vectors,
//                      each of `dimensions` int8, row by row, nothing else. Scores are int32 sums:
//                      dot (the larger the nearer) or squared_l2 (the smaller the nearer); of equal
//                      scores the lower id is nearer. Output: SCALE VectorSearchOutput, k matches a
//                      query, nearest first, queries in order.
//   image_resize       input and output are JPEG or PNG files; 8-bit grey or RGB (palettes and
//                      16 bits are reduced, transparency is laid on white). The pixels are those of
//                      the fixed-point filter of worker/executors/resize.hpp. The output hash is
//                      over the decoded pixels of the output file.
//
//   custom_wasm        a segment of a WebAssembly machine: client-sdk/task/wasm.hpp.
//
//   The files themselves are read and written by client-sdk/task/image.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "primitives/balance.hpp"
#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/result.hpp"
#include "primitives/task/price.hpp"

namespace tally::task {

constexpr std::uint64_t kMaxPrimeBound = 100'000'000'000'000;  // exclusive end of a range
constexpr std::uint64_t kMaxPrimeRange = 1'000'000'000'000;    // integers in one task

struct PrimeSpec {
  std::uint64_t lo{};
  std::uint64_t hi{};
  friend bool operator==(const PrimeSpec&, const PrimeSpec&) = default;
};
TALLY_DESCRIBE(PrimeSpec, lo, hi);

struct PrimeOutput {
  std::uint64_t count{};
  friend bool operator==(const PrimeOutput&, const PrimeOutput&) = default;
};
TALLY_DESCRIBE(PrimeOutput, count);

enum class Metric : std::uint8_t { dot = 0, squared_l2 = 1 };
TALLY_DESCRIBE_ENUM(Metric, dot, squared_l2);

// 255² · 4,096 and 128² · 4,096 are below 2³¹, so no sum overflows.
constexpr std::uint16_t kMaxDimensions = 4'096;
constexpr std::uint32_t kMaxVectors = 1u << 24;
constexpr std::uint32_t kMaxQueries = 4'096;
constexpr std::uint16_t kMaxNeighbours = 1'024;
constexpr std::size_t kMaxMatches = std::size_t{kMaxQueries} * 256;  // k · queries: an 8 MiB output

struct VectorSearchSpec {
  Metric metric{};
  std::uint16_t dimensions{};
  std::uint32_t count{};
  std::uint32_t queries{};
  std::uint16_t k{};
  friend bool operator==(const VectorSearchSpec&, const VectorSearchSpec&) = default;
};
TALLY_DESCRIBE(VectorSearchSpec, metric, dimensions, count, queries, k);

struct VectorMatch {
  std::uint32_t id{};  // position of the vector in the input, from 0
  std::int32_t score{};
  friend bool operator==(const VectorMatch&, const VectorMatch&) = default;
};
TALLY_DESCRIBE(VectorMatch, id, score);

struct VectorSearchOutput {
  BoundedVec<VectorMatch, kMaxMatches> matches;
  friend bool operator==(const VectorSearchOutput&, const VectorSearchOutput&) = default;
};
TALLY_DESCRIBE(VectorSearchOutput, matches);

enum class ImageFormat : std::uint8_t { jpeg = 0, png = 1 };
TALLY_DESCRIBE_ENUM(ImageFormat, jpeg, png);

constexpr std::uint32_t kMaxImageSide = 16'384;
constexpr std::uint64_t kMaxImagePixels = 32'000'000;  // of source and of result each

struct ImageResizeSpec {
  // What the input is, as its own header says; a file that says otherwise is refused.
  ImageFormat source_format{};
  std::uint32_t source_width{};
  std::uint32_t source_height{};
  ImageFormat format{};
  std::uint32_t width{};
  std::uint32_t height{};
  std::uint8_t quality{};  // of a JPEG: 1 to 100; 0 for a PNG
  friend bool operator==(const ImageResizeSpec&, const ImageResizeSpec&) = default;
};
TALLY_DESCRIBE(ImageResizeSpec, source_format, source_width, source_height, format, width, height,
               quality);

// Whether spec and input length are within the limits; the error says what was expected and came.
Result<void, Error> check(const PrimeSpec& spec, std::size_t input_size);
Result<void, Error> check(const VectorSearchSpec& spec, std::size_t input_size);
Result<void, Error> check(const ImageResizeSpec& spec, std::size_t input_size);

// Decodes the spec of a task, checks it and meters the task: integers sieved (prime_calculation),
// int8 multiply-adds (vector_search), pixels read and written (image_resize); of custom_wasm the
// most fuel that the segment can use. What it costs at most is agreed on by this before it runs.
Result<std::uint64_t, Error> metered_units(TaskType type, ByteView spec, std::size_t input_size);

// What the receipt says and is paid for. All is known beforehand but the fuel of custom_wasm: that
// is in the output. Never above metered_units().
Result<std::uint64_t, Error> used_units(TaskType type, ByteView spec, std::size_t input_size,
                                        ByteView output);

}  // namespace tally::task
