#include <csetjmp>

#include <png.h>

#include "client-sdk/task/image_codecs.hpp"

// libpng jumps back on an error, as libjpeg does: nothing with a destructor is created between
// setjmp and the calls that may jump.
namespace tally::task {

namespace {

struct ReadState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  ByteView left;
  std::string message;
  std::vector<png_bytep> rows;
  ~ReadState() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct WriteState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Bytes out;
  std::string message;
  ~WriteState() { png_destroy_write_struct(&png, &info); }
};

template <class State>
[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  static_cast<State*>(png_get_error_ptr(png))->message = text;
  png_longjmp(png, 1);
}

// What libpng calls a warning in a file's pixels or checksums is damage; in ancillary chunks it is
// not and benign errors are reported as warnings there.
void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, png_size_t n) {
  auto* state = static_cast<ReadState*>(png_get_io_ptr(png));
  if (state->left.size() < n) png_error(png, "the file ends too early");
  std::memcpy(to, state->left.data(), n);
  state->left = state->left.subspan(n);
}

void write_bytes(png_structp png, png_bytep from, png_size_t n) {
  auto* state = static_cast<WriteState*>(png_get_io_ptr(png));
  state->out.insert(state->out.end(), from, from + n);
}

// Any PNG to 8-bit grey or RGB; transparency is laid on white.
void set_transforms(png_structp png, png_infop info, std::uint8_t channels) {
  const auto colour = png_get_color_type(png, info);
  if (png_get_bit_depth(png, info) == 16) png_set_strip_16(png);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (colour == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8) {
    png_set_expand_gray_1_2_4_to_8(png);
  }
  const bool transparent = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  if (transparent) png_set_tRNS_to_alpha(png);
  if (transparent || (colour & PNG_COLOR_MASK_ALPHA) != 0) {
    const auto white = static_cast<png_uint_16>(png_get_bit_depth(png, info) == 16 ? 0xffff : 0xff);
    png_color_16 background{};
    background.red = background.green = background.blue = background.gray = white;
    png_set_background_fixed(png, &background, PNG_BACKGROUND_GAMMA_SCREEN, 0, PNG_FP_1);
  }
  if (channels == 1) return;
  if ((colour & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
}

bool run_reader(ReadState& state, const ExpectedSize& expected, Image& image) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_set_read_fn(state.png, &state, read_bytes);
  png_set_user_limits(state.png, kMaxImageSide, kMaxImageSide);
  png_set_chunk_malloc_max(state.png, 1u << 20);
  png_read_info(state.png, state.info);
  image.width = png_get_image_width(state.png, state.info);
  image.height = png_get_image_height(state.png, state.info);
  const auto colour = png_get_color_type(state.png, state.info);
  image.channels = (colour & PNG_COLOR_MASK_COLOR) == 0 ? 1 : 3;
  if (image.width != expected.width || image.height != expected.height) return true;
  set_transforms(state.png, state.info, image.channels);
  png_set_interlace_handling(state.png);
  png_read_update_info(state.png, state.info);
  const std::size_t row = std::size_t{image.width} * image.channels;
  if (png_get_rowbytes(state.png, state.info) != row) png_error(state.png, "unexpected row size");
  image.pixels.resize(row * image.height);
  state.rows.resize(image.height);
  for (std::size_t y = 0; y < image.height; ++y) state.rows[y] = image.pixels.data() + y * row;
  png_read_image(state.png, state.rows.data());
  png_read_end(state.png, nullptr);
  return true;
}

bool run_writer(WriteState& state, const Image& image) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_set_write_fn(state.png, &state, write_bytes, [](png_structp) {});
  png_set_IHDR(state.png, state.info, image.width, image.height, 8,
               image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_filter(state.png, PNG_FILTER_TYPE_BASE, PNG_FILTER_PAETH);
  png_set_compression_level(state.png, 4);
  png_write_info(state.png, state.info);
  const std::size_t row = std::size_t{image.width} * image.channels;
  for (std::size_t y = 0; y < image.height; ++y) {
    png_write_row(state.png, image.pixels.data() + y * row);
  }
  png_write_end(state.png, nullptr);
  return true;
}

}  // namespace

Result<Image, Error> read_png(ByteView file, const ExpectedSize& expected) {
  ReadState state;
  state.left = file;
  state.png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error<ReadState>, on_warning);
  if (state.png == nullptr) return fail_with("cannot set up the PNG reader: out of memory");
  state.info = png_create_info_struct(state.png);
  if (state.info == nullptr) return fail_with("cannot set up the PNG reader: out of memory");
  Image image;
  if (!run_reader(state, expected, image)) {
    return fail_with("not a readable PNG: " + state.message);
  }
  return image;
}

Result<Bytes, Error> write_png(const Image& image) {
  WriteState state;
  state.png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, on_error<WriteState>, on_warning);
  if (state.png == nullptr) return fail_with("cannot set up the PNG writer: out of memory");
  state.info = png_create_info_struct(state.png);
  if (state.info == nullptr) return fail_with("cannot set up the PNG writer: out of memory");
  if (!run_writer(state, image)) return fail_with("cannot encode as PNG: " + state.message);
  return std::move(state.out);
}

}  // namespace tally::task
