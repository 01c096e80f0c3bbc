#include "worker/executors/resize.hpp"

#include <algorithm>

namespace tally::executors {

namespace {

constexpr int kWeightBits = 14;
constexpr int kExtraBits = 6;  // of the rows' results

// Catmull-Rom at t (16 fraction bits), result with 48 fraction bits.
std::int64_t cubic(std::int64_t t) {
  constexpr std::int64_t kOne = std::int64_t{1} << 16;
  if (t >= 2 * kOne) return 0;
  const std::int64_t t2 = t * t << 16;
  const std::int64_t t3 = t * t * t;
  const std::int64_t t1 = t << 32;
  constexpr std::int64_t kUnit = std::int64_t{1} << 48;
  if (t < kOne) return (3 * t3 - 5 * t2 + 2 * kUnit) / 2;
  return (5 * t2 - t3 - 8 * t1 + 4 * kUnit) / 2;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

// Weights by source index, from possibly outside the image, folded onto the edges.
struct RawTaps {
  std::int64_t first;
  std::vector<std::int64_t> weights;
};

RawTaps raw_taps(std::int64_t in, std::int64_t out, std::int64_t x) {
  const std::int64_t unit = 2 * std::max(in, out);  // one filter unit, in units of 1/(2·out)
  const std::int64_t centre = (2 * x + 1) * in;
  const std::int64_t lowest = floor_div(centre - 2 * unit - out, 2 * out);
  const std::int64_t highest = floor_div(centre + 2 * unit - out, 2 * out) + 1;
  RawTaps taps{.first = std::max<std::int64_t>(lowest, 0), .weights = {}};
  const std::int64_t last = std::min(highest, in - 1);
  taps.weights.resize(static_cast<std::size_t>(last - taps.first + 1));
  for (std::int64_t i = lowest; i <= highest; ++i) {
    const std::int64_t distance = std::abs((2 * i + 1) * out - centre);
    const std::int64_t inside = std::clamp<std::int64_t>(i, 0, in - 1);
    // 20 fraction bits are plenty, and sums of up to 2^17 of them stay far from overflow.
    taps.weights[static_cast<std::size_t>(inside - taps.first)] +=
        cubic((distance << 16) / unit) >> 28;
  }
  return taps;
}

Taps normalised(const RawTaps& raw) {
  std::int64_t total = 0;
  for (const std::int64_t weight : raw.weights) total += weight;
  Taps taps{.first = static_cast<std::uint32_t>(raw.first), .weights = {}};
  std::int64_t running = 0;
  std::int64_t given = 0;
  for (const std::int64_t weight : raw.weights) {
    running += weight;
    const std::int64_t upto = floor_div((running << kWeightBits) + total / 2, total);
    taps.weights.push_back(static_cast<std::int16_t>(upto - given));
    given = upto;
  }
  // Zero weights at the ends cost time and change nothing.
  while (taps.weights.size() > 1 && taps.weights.back() == 0) taps.weights.pop_back();
  std::size_t zeros = 0;
  while (zeros + 1 < taps.weights.size() && taps.weights[zeros] == 0) ++zeros;
  taps.weights.erase(taps.weights.begin(),
                     taps.weights.begin() + static_cast<std::ptrdiff_t>(zeros));
  taps.first += static_cast<std::uint32_t>(zeros);
  return taps;
}

template <int kChannels>
void filter_row(const std::uint8_t* source, const std::vector<Taps>& columns, std::int16_t* out) {
  constexpr int kShift = kWeightBits - kExtraBits;
  for (const Taps& taps : columns) {
    std::int32_t sums[kChannels] = {};
    const std::uint8_t* pixel = source + std::size_t{taps.first} * kChannels;
    for (const std::int16_t weight : taps.weights) {
      for (int c = 0; c < kChannels; ++c) sums[c] += weight * pixel[c];
      pixel += kChannels;
    }
    for (int c = 0; c < kChannels; ++c) {
      *out++ = static_cast<std::int16_t>((sums[c] + (1 << (kShift - 1))) >> kShift);
    }
  }
}

}  // namespace

std::vector<Taps> filter_taps(std::uint32_t in, std::uint32_t out) {
  std::vector<Taps> taps;
  taps.reserve(out);
  for (std::uint32_t x = 0; x < out; ++x) taps.push_back(normalised(raw_taps(in, out, x)));
  return taps;
}

task::Image resize(const task::Image& source, const Size& size) {
  const std::vector<Taps> columns = filter_taps(source.width, size.width);
  const std::vector<Taps> rows = filter_taps(source.height, size.height);
  const std::size_t source_row = std::size_t{source.width} * source.channels;
  const std::size_t row = std::size_t{size.width} * source.channels;

  task::Image out{
      .width = size.width, .height = size.height, .channels = source.channels, .pixels = {}};
  out.pixels.resize(row * size.height);
  // Filtered source rows are kept only as long as a later output row needs them.
  std::size_t window = 0;
  for (const Taps& taps : rows) window = std::max(window, taps.weights.size());
  std::vector<std::int16_t> kept(row * window);
  std::vector<std::int32_t> sums(row);
  std::uint32_t filtered = 0;
  for (std::uint32_t y = 0; y < size.height; ++y) {
    const Taps& taps = rows[y];
    const auto end = static_cast<std::uint32_t>(taps.first + taps.weights.size());
    for (filtered = std::max(filtered, taps.first); filtered < end; ++filtered) {
      const std::uint8_t* const from = source.pixels.data() + source_row * filtered;
      std::int16_t* const to = kept.data() + row * (filtered % window);
      source.channels == 1 ? filter_row<1>(from, columns, to) : filter_row<3>(from, columns, to);
    }
    std::fill(sums.begin(), sums.end(), 1 << (kWeightBits + kExtraBits - 1));
    for (std::size_t t = 0; t < taps.weights.size(); ++t) {
      const std::int16_t* const from = kept.data() + row * ((taps.first + t) % window);
      const std::int32_t weight = taps.weights[t];
      for (std::size_t i = 0; i < row; ++i) sums[i] += weight * from[i];
    }
    std::uint8_t* const to = out.pixels.data() + row * y;
    for (std::size_t i = 0; i < row; ++i) {
      to[i] = static_cast<std::uint8_t>(
          std::clamp<std::int32_t>(sums[i] >> (kWeightBits + kExtraBits), 0, 255));
    }
  }
  return out;
}

}  // namespace tally::executors
