// The two file formats, one file each: they keep libjpeg and libpng, their setjmp and their error
// habits away from the rest. Only image.cpp uses this.
#pragma once

#include <optional>

#include "client-sdk/task/image.hpp"

namespace tally::task {

// Zero: read only the header.
struct ExpectedSize {
  std::uint32_t width{};
  std::uint32_t height{};
};

// The image; with no pixels if its size is not the expected one (or only the header was asked for).
Result<Image, Error> read_jpeg(ByteView file, const ExpectedSize& expected);
Result<Image, Error> read_png(ByteView file, const ExpectedSize& expected);
Result<Bytes, Error> write_jpeg(const Image& image, std::uint8_t quality);
Result<Bytes, Error> write_png(const Image& image);

}  // namespace tally::task
