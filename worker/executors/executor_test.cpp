#include "worker/executors/executor.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "client-sdk/task/image.hpp"
#include "client-sdk/task/output.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::executors {
namespace {

using task::FailureReason;
using task::Image;
using task::ImageFormat;
using task::ImageResizeSpec;
using task::TaskType;

Image gradient(std::uint32_t width, std::uint32_t height, std::uint8_t channels) {
  Image image{.width = width, .height = height, .channels = channels, .pixels = {}};
  for (std::uint32_t i = 0; i < width * height * channels; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>(i / channels % width * 3 + i / width));
  }
  return image;
}

Bytes file_of(const Image& image, ImageFormat format) {
  auto file =
      task::encode_image(image, {format, std::uint8_t(format == ImageFormat::jpeg ? 90 : 0)});
  REQUIRE(file.ok());
  return *file;
}

ImageResizeSpec spec_of(ImageFormat from, ImageFormat to) {
  return {from, 60, 40, to, 31, 17, static_cast<std::uint8_t>(to == ImageFormat::jpeg ? 85 : 0)};
}

TEST_CASE("a prime task answers with the count and the hash of its bytes") {
  const auto out = execute(TaskType::prime_calculation, encode(task::PrimeSpec{0, 1'000'000}), {});
  REQUIRE(out.ok());
  CHECK(decode<task::PrimeOutput>(out->bytes)->count == 78'498);
  CHECK(out->hash == blake2_256(out->bytes));
}

TEST_CASE("a resized image is a file of the asked format and size, hashed over its pixels") {
  for (const ImageFormat from : {ImageFormat::jpeg, ImageFormat::png}) {
    for (const ImageFormat to : {ImageFormat::jpeg, ImageFormat::png}) {
      for (const std::uint8_t channels : {std::uint8_t{1}, std::uint8_t{3}}) {
        const Bytes input = file_of(gradient(60, 40, channels), from);
        const Bytes spec = encode(spec_of(from, to));
        const auto out = execute(TaskType::image_resize, spec, input);
        REQUIRE(out.ok());
        CHECK(*execute(TaskType::image_resize, spec, input) == *out);
        const auto info = task::image_info(out->bytes);
        REQUIRE(info.ok());
        CHECK(*info == task::ImageInfo{to, 31, 17});
        CHECK(*task::output_hash(TaskType::image_resize, spec, out->bytes) == out->hash);
      }
    }
  }
}

TEST_CASE("every truncation of an image is a failure with a reason") {
  for (const ImageFormat format : {ImageFormat::jpeg, ImageFormat::png}) {
    const Bytes file = file_of(gradient(60, 40, 3), format);
    const Bytes spec = encode(spec_of(format, ImageFormat::png));
    for (std::size_t size = 1; size < file.size(); size += 1 + size / 40) {
      const auto out = execute(TaskType::image_resize, spec, ByteView(file).first(size));
      REQUIRE_FALSE(out.ok());
      REQUIRE(out.error().reason == FailureReason::bad_input);
      REQUIRE_FALSE(out.error().message.empty());
    }
  }
}

TEST_CASE("flipped bits give an image or a failure, never a crash") {
  std::mt19937_64 random(1);
  for (const ImageFormat format : {ImageFormat::jpeg, ImageFormat::png}) {
    const Bytes file = file_of(gradient(60, 40, 3), format);
    const Bytes spec = encode(spec_of(format, ImageFormat::jpeg));
    int failed = 0;
    for (int i = 0; i < 400; ++i) {
      Bytes bad = file;
      bad[random() % bad.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
      failed += !execute(TaskType::image_resize, spec, bad).ok();
    }
    CHECK(failed > 0);
    if (format == ImageFormat::png) CHECK(failed > 350);  // its checksums see nearly all
  }
}

TEST_CASE("an image other than the spec says is refused before its pixels are read") {
  const Bytes input = file_of(gradient(60, 40, 3), ImageFormat::png);
  auto spec = spec_of(ImageFormat::png, ImageFormat::png);
  spec.source_width = 61;
  const auto out = execute(TaskType::image_resize, encode(spec), input);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().message == "expected an image of 61 x 40 pixels, got one of 60 x 40");
  spec = spec_of(ImageFormat::jpeg, ImageFormat::png);
  const auto wrong = execute(TaskType::image_resize, encode(spec), input);
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().message == "expected a jpeg file, got a png");
}

TEST_CASE("specs outside the limits are refused") {
  const auto refused = [](TaskType type, const Bytes& spec, std::size_t input_size) {
    const auto out = execute(type, spec, Bytes(input_size));
    return !out.ok() && out.error().reason == FailureReason::bad_spec;
  };
  const auto primes = [&](std::uint64_t lo, std::uint64_t hi) {
    return refused(TaskType::prime_calculation, encode(task::PrimeSpec{lo, hi}), 0);
  };
  CHECK(primes(2, 1));
  CHECK(primes(0, ~0ull));
  CHECK(primes(task::kMaxPrimeBound - 1, task::kMaxPrimeBound + 1));
  CHECK(primes(0, task::kMaxPrimeRange + 1));
  CHECK(refused(TaskType::prime_calculation, encode(task::PrimeSpec{0, 10}), 1));
  CHECK(refused(TaskType::prime_calculation, Bytes(15), 0));
  CHECK(refused(TaskType::prime_calculation, Bytes(17), 0));

  const auto vectors = [&](task::VectorSearchSpec spec, std::size_t size) {
    return refused(TaskType::vector_search, encode(spec), size);
  };
  CHECK(vectors({task::Metric::dot, 0, 1, 1, 1}, 0));
  CHECK(vectors({task::Metric::dot, 4'097, 1, 1, 1}, 8'194));
  CHECK(vectors({task::Metric::dot, 4, 0, 1, 1}, 4));
  CHECK(vectors({task::Metric::dot, 4, 1, 0, 1}, 4));
  CHECK(vectors({task::Metric::dot, 4, 2, 1, 3}, 12));
  CHECK(vectors({task::Metric::dot, 4, 2, 1, 0}, 12));
  CHECK(vectors({task::Metric::dot, 4, 2, 1, 1}, 11));
  CHECK(vectors({task::Metric::dot, 4'096, 1u << 24, 4'096, 64}, 100));

  auto image = spec_of(ImageFormat::png, ImageFormat::png);
  image.width = task::kMaxImageSide + 1;
  CHECK(refused(TaskType::image_resize, encode(image), 1));
  image = spec_of(ImageFormat::png, ImageFormat::png);
  image.width = image.height = 16'000;
  CHECK(refused(TaskType::image_resize, encode(image), 1));
  image = spec_of(ImageFormat::png, ImageFormat::jpeg);
  image.quality = 101;
  CHECK(refused(TaskType::image_resize, encode(image), 1));
}

}  // namespace
}  // namespace tally::executors
