#include "worker/sandbox/pipe.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tally::sandbox {

namespace {

// How long a cancellation may go unseen.
constexpr std::chrono::milliseconds kCancelCheck{50};

}  // namespace

std::optional<PipeError> PipeExchange::wait(bool writing) {
  using std::chrono::milliseconds;
  if (cancel_.load()) return PipeError::cancelled;
  const auto now = std::chrono::steady_clock::now();
  if (now >= deadline_) return PipeError::timeout;
  const auto left = std::chrono::ceil<milliseconds>(deadline_ - now);
  pollfd waits[2] = {{ends_.from, POLLIN, 0}, {ends_.to, POLLOUT, 0}};
  poll(waits, writing ? 2 : 1, static_cast<int>(std::min(left, kCancelCheck).count()));
  return std::nullopt;
}

// False when the reader is gone.
bool PipeExchange::write_some() {
  while (part_ < parts_.size()) {
    ByteView& part = parts_[part_];
    if (part.empty()) {
      ++part_;
      continue;
    }
    const ssize_t n = ::write(ends_.to, part.data(), part.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    part = part.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<PipeError> PipeExchange::read(std::span<std::uint8_t> to) {
  while (!to.empty()) {
    // A broken input pipe is no reason to stop: the answer may already be on its way.
    if (!write_some()) part_ = parts_.size();
    const ssize_t n = ::read(ends_.from, to.data(), to.size());
    if (n == 0) return PipeError::closed;
    if (n > 0) {
      to = to.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return PipeError::closed;
    if (const auto error = wait(part_ < parts_.size())) return error;
  }
  return std::nullopt;
}

}  // namespace tally::sandbox
