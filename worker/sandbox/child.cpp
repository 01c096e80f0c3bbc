#include "worker/sandbox/child.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "primitives/crypto/hash.hpp"
#include "worker/executors/cuda/device.hpp"
#include "worker/sandbox/lockdown.hpp"

namespace tally::sandbox {

namespace {

constexpr int kBroken = 3;
constexpr std::string_view kExecutorFlag = "--executor";
constexpr std::string_view kGpuFlag = "--gpu";

bool read_exactly(std::uint8_t* to, std::size_t size) {
  while (size > 0) {
    const ssize_t n = read(STDIN_FILENO, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool write_all(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

struct Job {
  JobHeader header;
  Bytes input;
};

// Nothing at the end of the input, or when the worker sent what it never sends.
std::optional<Job> read_job() {
  std::uint8_t prefix[4];
  if (!read_exactly(prefix, sizeof(prefix))) return std::nullopt;
  const auto size = decode<std::uint32_t>(prefix);
  if (!size || *size > kMaxHeader) return std::nullopt;
  Bytes body(*size);
  if (!read_exactly(body.data(), body.size())) return std::nullopt;
  auto header = decode<JobHeader>(body);
  if (!header || header->input_size > kMaxInput) return std::nullopt;
  Job job{.header = *std::move(header), .input = {}};
  job.input.resize(job.header.input_size);
  if (!read_exactly(job.input.data(), job.input.size())) return std::nullopt;
  return job;
}

bool answer(std::uint64_t id, const executors::TaskResult& result) {
  if (!result) return write_all(frame(AnswerHeader{id, JobFailed{result.error()}}));
  const JobDone done{.output_size = result->bytes.size(), .output_hash = result->hash};
  return write_all(frame(AnswerHeader{id, done})) && write_all(result->bytes);
}

int complain(const std::string& message) {
  std::fprintf(stderr, "executor: %s\n", message.c_str());
  return kBroken;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

int run_child(const ChildOptions& options, const Execute& execute) {
  std::string gpu;
  if (options.gpu) {
    const auto device = executors::cuda::open_device();
    if (!device) return complain(device.error().message);
    gpu = (*device)->info().name;
  }
  // libsodium opens its random source at its first use, which would be forbidden later.
  (void)blake2_256(ByteView{});
  // Large blocks go back to the system when freed, so that one job's memory is not the next one's.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  auto ready = lock_down({.memory_bytes = options.memory_bytes, .gpu = options.gpu});
  if (!ready) return complain(ready.error().message);
  ready->gpu = gpu;
  if (!write_all(frame(*ready))) return 0;
  while (const auto job = read_job()) {
    if (!answer(job->header.id, execute(job->header.type, job->header.spec, job->input))) break;
  }
  return 0;
}

std::vector<std::string> child_arguments(const ChildOptions& options) {
  std::vector<std::string> out{std::string(kExecutorFlag), to_decimal(options.memory_bytes)};
  if (options.gpu) out.emplace_back(kGpuFlag);
  return out;
}

std::optional<int> run_child_if_asked(int argc, char** argv, const Execute& execute) {
  if (argc < 2 || argv[1] != kExecutorFlag) return std::nullopt;
  const auto memory = argc >= 3 ? parse_number(argv[2]) : std::nullopt;
  const bool gpu = argc == 4 && argv[3] == kGpuFlag;
  if (!memory || argc > 4 || (argc == 4 && !gpu)) {
    return complain("this mode is for tally-worker itself, which starts it with its pipes");
  }
  return run_child({.memory_bytes = *memory, .gpu = gpu}, execute);
}

}  // namespace tally::sandbox
