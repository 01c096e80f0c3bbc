#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include "client-sdk/task/image_codecs.hpp"

// libjpeg reports through error_exit, which must not return: we jump back. No object with a
// destructor is created between setjmp and the calls that may jump; what they fill lives in a state
// struct that the caller owns.
namespace tally::task {

namespace {

struct ErrorState {
  jpeg_error_mgr manager{};
  std::jmp_buf back{};
  char message[JMSG_LENGTH_MAX] = {};
};

ErrorState* state_of(j_common_ptr info) {
  return reinterpret_cast<ErrorState*>(info->err);
}

void on_error(j_common_ptr info) {
  info->err->format_message(info, state_of(info)->message);
  std::longjmp(state_of(info)->back, 1);
}

// libjpeg warns where data is damaged and goes on with invented pixels; a damaged file is an error.
void on_message(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}

void install(ErrorState& errors) {
  jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
  errors.manager.output_message = [](j_common_ptr) {};
}

// A progressive file may hold any number of scans, each as costly as a whole picture.
constexpr int kMaxScans = 64;

void on_progress(j_common_ptr info) {
  if (info->is_decompressor == FALSE) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  std::snprintf(state_of(info)->message, sizeof(ErrorState::message),
                "expected at most %d scans, got more", kMaxScans);
  std::longjmp(state_of(info)->back, 1);
}

struct Reader {
  ErrorState errors;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};
  bool created = false;
  ~Reader() {
    if (created) jpeg_destroy_decompress(&info);
  }
};

// Returns false after an error; `image` then holds whatever was read.
bool run_reader(Reader& reader, ByteView file, const ExpectedSize& expected, Image& image) {
  if (setjmp(reader.errors.back) != 0) return false;
  auto& info = reader.info;
  jpeg_create_decompress(&info);
  reader.created = true;
  reader.progress.progress_monitor = on_progress;
  info.progress = &reader.progress;
  jpeg_mem_src(&info, file.data(), file.size());
  jpeg_read_header(&info, TRUE);
  image.width = info.image_width;
  image.height = info.image_height;
  image.channels = info.num_components == 1 ? 1 : 3;
  if (image.width != expected.width || image.height != expected.height) return true;
  info.out_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  info.dct_method = JDCT_ISLOW;
  info.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&info);
  const std::size_t row = std::size_t{image.width} * image.channels;
  image.pixels.resize(row * image.height);
  while (info.output_scanline < info.output_height) {
    JSAMPROW at = image.pixels.data() + row * info.output_scanline;
    jpeg_read_scanlines(&info, &at, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

struct Writer {
  ErrorState errors;
  jpeg_compress_struct info{};
  bool created = false;
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  ~Writer() {
    if (created) jpeg_destroy_compress(&info);
    std::free(buffer);
  }
};

bool run_writer(Writer& writer, const Image& image, std::uint8_t quality) {
  if (setjmp(writer.errors.back) != 0) return false;
  auto& info = writer.info;
  jpeg_create_compress(&info);
  writer.created = true;
  jpeg_mem_dest(&info, &writer.buffer, &writer.size);
  info.image_width = image.width;
  info.image_height = image.height;
  info.input_components = image.channels;
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.dct_method = JDCT_ISLOW;
  info.optimize_coding = TRUE;
  jpeg_start_compress(&info, TRUE);
  const std::size_t row = std::size_t{image.width} * image.channels;
  while (info.next_scanline < info.image_height) {
    JSAMPROW at = const_cast<JSAMPROW>(image.pixels.data() + row * info.next_scanline);
    jpeg_write_scanlines(&info, &at, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

Result<Image, Error> read_jpeg(ByteView file, const ExpectedSize& expected) {
  Reader reader;
  install(reader.errors);
  reader.info.err = &reader.errors.manager;
  Image image;
  if (!run_reader(reader, file, expected, image)) {
    return fail_with(std::string("not a readable JPEG: ") + reader.errors.message);
  }
  return image;
}

Result<Bytes, Error> write_jpeg(const Image& image, std::uint8_t quality) {
  Writer writer;
  install(writer.errors);
  writer.info.err = &writer.errors.manager;
  if (!run_writer(writer, image, quality)) {
    return fail_with(std::string("cannot encode as JPEG: ") + writer.errors.message);
  }
  return Bytes(writer.buffer, writer.buffer + writer.size);
}

}  // namespace tally::task
