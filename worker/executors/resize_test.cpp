#include "worker/executors/resize.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace tally::executors {
namespace {

using task::Image;

Image noise(std::uint32_t width, std::uint32_t height, std::uint8_t channels) {
  std::mt19937_64 random(width * 31 + height);
  Image image{.width = width, .height = height, .channels = channels, .pixels = {}};
  image.pixels.resize(std::size_t{width} * height * channels);
  for (auto& byte : image.pixels) byte = static_cast<std::uint8_t>(random());
  return image;
}

double cubic(double t) {
  t = std::abs(t);
  if (t < 1) return 1.5 * t * t * t - 2.5 * t * t + 1;
  return t < 2 ? -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2 : 0;
}

// The same filter in floating point, straight from its definition, one pixel at a time.
double exact_pixel(const Image& source, const Size& size, std::uint32_t x, std::uint32_t y, int c) {
  const double sx = std::max(1.0, 1.0 * source.width / size.width);
  const double sy = std::max(1.0, 1.0 * source.height / size.height);
  const double cx = (x + 0.5) * source.width / size.width - 0.5;
  const double cy = (y + 0.5) * source.height / size.height - 0.5;
  double sum = 0, total = 0;
  for (int j = static_cast<int>(cy - 2 * sy) - 1; j <= cy + 2 * sy + 1; ++j) {
    for (int i = static_cast<int>(cx - 2 * sx) - 1; i <= cx + 2 * sx + 1; ++i) {
      const double weight = cubic((i - cx) / sx) * cubic((j - cy) / sy);
      const int ii = std::clamp<int>(i, 0, static_cast<int>(source.width) - 1);
      const int jj = std::clamp<int>(j, 0, static_cast<int>(source.height) - 1);
      sum += weight * source.pixels[(std::size_t(jj) * source.width + ii) * source.channels + c];
      total += weight;
    }
  }
  return std::clamp(sum / total, 0.0, 255.0);
}

TEST_CASE("pixels are those of the filter in floating point, within one step") {
  const std::pair<Size, Size> cases[] = {{{40, 30}, {13, 17}},
                                         {{20, 20}, {57, 33}},
                                         {{64, 9}, {7, 40}},
                                         {{5, 5}, {5, 5}},
                                         {{1, 1}, {6, 4}}};
  for (const auto& [from, to] : cases) {
    for (const std::uint8_t channels : {std::uint8_t{1}, std::uint8_t{3}}) {
      const Image source = noise(from.width, from.height, channels);
      const Image out = resize(source, to);
      double worst = 0;
      for (std::uint32_t y = 0; y < to.height; ++y) {
        for (std::uint32_t x = 0; x < to.width; ++x) {
          for (int c = 0; c < channels; ++c) {
            const double got = out.pixels[(std::size_t{y} * to.width + x) * channels + c];
            worst = std::max(worst, std::abs(got - exact_pixel(source, to, x, y, c)));
          }
        }
      }
      CHECK(worst < 1.0);
    }
  }
}

TEST_CASE("the same size gives the same image, and one colour stays that colour") {
  const Image image = noise(37, 21, 3);
  CHECK(resize(image, {37, 21}) == image);
  Image flat = noise(50, 40, 1);
  std::fill(flat.pixels.begin(), flat.pixels.end(), 201);
  for (const Size size : {Size{3, 3}, Size{200, 90}, Size{49, 41}}) {
    const Image out = resize(flat, size);
    CHECK(std::all_of(out.pixels.begin(), out.pixels.end(), [](auto p) { return p == 201; }));
  }
}

TEST_CASE("weights of every output sample sum to one and lie inside the image") {
  const std::pair<std::uint32_t, std::uint32_t> sizes[] = {
      {1, 16'384}, {16'384, 1}, {16'384, 3}, {3, 16'384}, {1'000, 999}, {2, 2}, {16'384, 5'000}};
  for (const auto& [in, out] : sizes) {
    const auto all = filter_taps(in, out);
    REQUIRE(all.size() == out);
    for (const Taps& taps : all) {
      int sum = 0;
      for (const int weight : taps.weights) sum += weight;
      REQUIRE(sum == 1 << 14);
      REQUIRE(taps.first + taps.weights.size() <= in);
    }
  }
}

TEST_CASE("golden pixels of the filter") {
  CHECK(to_hex(task::pixel_hash(resize(noise(100, 80, 3), {33, 61}))) ==
        "6c2b4613ad99a9eab2afbd438d82b87f848e4f0d3854454abbcc08c83076ce7c");
  CHECK(to_hex(task::pixel_hash(resize(noise(31, 44, 1), {90, 70}))) ==
        "8bdb693fe8d48ae6c0ba875d0abe4b7342e26caf1e57725067689e383f089ff4");
}

}  // namespace
}  // namespace tally::executors
