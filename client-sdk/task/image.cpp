#include "client-sdk/task/image.hpp"

#include "client-sdk/task/image_codecs.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

constexpr std::uint8_t kPngSignature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

Result<ImageFormat, Error> format_of(ByteView file) {
  if (file.size() >= 8 && equal(file.first(8), kPngSignature)) return ImageFormat::png;
  if (file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff) {
    return ImageFormat::jpeg;
  }
  return fail_with("expected a JPEG or PNG file, got something else (it begins with " +
                   to_hex(file.first(std::min<std::size_t>(8, file.size()))) + ")");
}

std::string dimensions(std::uint32_t width, std::uint32_t height) {
  return to_decimal(width) + " x " + to_decimal(height);
}

}  // namespace

Result<ImageInfo, Error> image_info(ByteView file) {
  const ImageFormat format = TALLY_TRY(format_of(file));
  ImageInfo info{.format = format};
  Image header;
  if (format == ImageFormat::jpeg) {
    header = TALLY_TRY(read_jpeg(file, {}));
  } else {
    header = TALLY_TRY(read_png(file, {}));
  }
  info.width = header.width;
  info.height = header.height;
  return info;
}

Result<Image, Error> decode_image(ByteView file, const ImageInfo& expected) {
  const ImageFormat format = TALLY_TRY(format_of(file));
  if (format != expected.format) {
    return fail_with("expected a " + std::string(enumerator_name(expected.format)) +
                     " file, got a " + std::string(enumerator_name(format)));
  }
  const ExpectedSize size{.width = expected.width, .height = expected.height};
  auto image = format == ImageFormat::jpeg ? read_jpeg(file, size) : read_png(file, size);
  if (!image) return fail(std::move(image).error());
  if (image->pixels.empty()) {
    return fail_with("expected an image of " + dimensions(expected.width, expected.height) +
                     " pixels, got one of " + dimensions(image->width, image->height));
  }
  return image;
}

Result<Bytes, Error> encode_image(const Image& image, const ImageEncoding& encoding) {
  TALLY_ASSERT(image.channels == 1 || image.channels == 3);
  TALLY_ASSERT(image.pixels.size() == std::size_t{image.width} * image.height * image.channels);
  return encoding.format == ImageFormat::jpeg ? write_jpeg(image, encoding.quality)
                                              : write_png(image);
}

Hash pixel_hash(const Image& image) {
  Encoder head;
  head.raw(domain_tag("pixels"));
  encode_to(head, image.width);
  encode_to(head, image.height);
  head.byte(image.channels);
  return blake2_256({head.bytes(), image.pixels});
}

}  // namespace tally::task
