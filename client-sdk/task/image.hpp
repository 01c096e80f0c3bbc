// Image files to pixels and back, the same on every machine: JPEG by libjpeg with its integer
// transform (JDCT_ISLOW, fancy upsampling, no scaling), PNG by libpng without gamma or colour
// profiles. Encoding is deterministic: JPEG baseline 4:2:0 with optimised Huffman tables, PNG with
// fixed filter and compression settings.
//
// Limits: nothing is allocated for pixels before the file's header was read and found to be what
// the caller expects. Damage of any kind is an error with the library's own words, never a guess at
// the missing pixels: a truncated or corrupt file does not decode.
#pragma once

#include <cstdint>
#include <vector>

#include "client-sdk/task/specs.hpp"
#include "primitives/bytes.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::task {

// Rows from top to bottom, pixels from left to right, `channels` bytes a pixel: 1 grey, 3 RGB.
struct Image {
  std::uint32_t width{};
  std::uint32_t height{};
  std::uint8_t channels{};
  Bytes pixels;
  friend bool operator==(const Image&, const Image&) = default;
};

struct ImageInfo {
  ImageFormat format{};
  std::uint32_t width{};
  std::uint32_t height{};
  friend bool operator==(const ImageInfo&, const ImageInfo&) = default;
};

// Reads only the header.
Result<ImageInfo, Error> image_info(ByteView file);
// The file must be exactly what `expected` says, and within the limits of image_resize.
Result<Image, Error> decode_image(ByteView file, const ImageInfo& expected);

struct ImageEncoding {
  ImageFormat format{};
  std::uint8_t quality{};  // of a JPEG: 1 to 100
};
Result<Bytes, Error> encode_image(const Image& image, const ImageEncoding& encoding);

// blake2_256("tallystick/pixels/v1" ‖ width u32 ‖ height u32 ‖ channels u8 ‖ pixels)
Hash pixel_hash(const Image& image);

}  // namespace tally::task
