// The worker's ends of an executor's pipes: both directions at once, bounded, with a deadline.
#pragma once

#include <atomic>
#include <chrono>

#include "primitives/bytes.hpp"

namespace tally::sandbox {

enum class PipeError { closed, timeout, cancelled };

// Writes some parts while reading is possible, and reads exactly so many bytes, so that an executor
// that answers before it has read its input cannot block the worker.
class PipeExchange {
 public:
  struct Ends {
    int to{};
    int from{};
  };
  PipeExchange(const Ends& ends, std::chrono::steady_clock::time_point deadline,
               const std::atomic<bool>& cancel)
      : ends_(ends), deadline_(deadline), cancel_(cancel) {}

  // Queues bytes for writing; the view must stay valid.
  void queue(ByteView bytes) { parts_.push_back(bytes); }
  // Reads exactly to.size() bytes, writing what is queued meanwhile. Nothing = done.
  std::optional<PipeError> read(std::span<std::uint8_t> to);

 private:
  std::optional<PipeError> wait(bool writing);
  bool write_some();

  Ends ends_;
  std::chrono::steady_clock::time_point deadline_;
  const std::atomic<bool>& cancel_;
  std::vector<ByteView> parts_;
  std::size_t part_ = 0;
};

}  // namespace tally::sandbox
