// The filter of image_resize: separable Catmull-Rom (cubic, a = -1/2), widened by the ratio when
// shrinking, in integers throughout, so that every machine gives the same pixels.
//
// The distance of source sample i from output sample x is the exact fraction
//   |(2i+1)·out − (2x+1)·in| / (2·max(in, out)),
// rounded down to 16 bits; the cubic is evaluated in 48 bits; weights are brought to a sum of
// exactly 2^14 by rounding their running sum. Samples outside the image repeat the edge. Rows
// first, kept with 6 more bits than a byte, then columns, rounded half up and clamped. Source:
// Keys, "Cubic convolution interpolation for digital image processing", 1981.
#pragma once

#include <cstdint>
#include <vector>

#include "client-sdk/task/image.hpp"

namespace tally::executors {

struct Size {
  std::uint32_t width{};
  std::uint32_t height{};
};

// Both sizes are within the limits of image_resize.
task::Image resize(const task::Image& source, const Size& size);

// The weights of one output sample: source samples first, first + 1, … (already inside the image).
struct Taps {
  std::uint32_t first{};
  std::vector<std::int16_t> weights;  // sum 16,384
};
std::vector<Taps> filter_taps(std::uint32_t in, std::uint32_t out);

}  // namespace tally::executors
