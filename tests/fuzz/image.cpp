// Image files of requesters and workers: they decode whole, or not at all.
#include "client-sdk/task/image.hpp"

#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto info = task::image_info(input);
  if (!info.ok()) return;
  if (std::uint64_t{info->width} * info->height > 1u << 20) return;  // for speed, not for safety
  const auto image = task::decode_image(input, *info);
  if (!image.ok()) return;
  TALLY_ASSERT(image->width == info->width && image->height == info->height);
  TALLY_ASSERT(image->pixels.size() == std::size_t{image->width} * image->height * image->channels);
  const auto file = task::encode_image(*image, {task::ImageFormat::png, 0});
  TALLY_ASSERT(file.ok());
  const auto back =
      task::decode_image(*file, {task::ImageFormat::png, image->width, image->height});
  TALLY_ASSERT(back.ok() && back->pixels == image->pixels);
}

}  // namespace tally::fuzz
