// The sending side of a task stream, for both ends: frames queue up and one thread writes them, so
// that a slow peer blocks nobody but that thread. A queue past its bound closes the stream: the
// peer does not read. Used inside .cpp files only, like every generated header.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "rpc/proto/task.pb.h"

namespace tally::task {

using Frame = tallystick::v1::Frame;

class FrameWriter {
 public:
  // `write` sends one frame and returns false when the stream is broken; `broken` is then called
  // once, from the writing thread or from send().
  struct Stream {
    std::function<bool(const Frame&)> write;
    std::function<void()> broken;
  };

  FrameWriter(Stream stream, std::size_t max_queued_bytes)
      : stream_(std::move(stream)), max_(max_queued_bytes), thread_([this] { run(); }) {}
  ~FrameWriter() { close(); }
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // False once the stream is closed or broken.
  bool send(Frame frame) {
    const std::size_t size = frame.ByteSizeLong();
    std::unique_lock lock(mutex_);
    if (closed_) return false;
    if (queued_ != 0 && queued_ + size > max_) {
      closed_ = true;
      lock.unlock();
      changed_.notify_all();
      stream_.broken();
      return false;
    }
    queued_ += size;
    frames_.push_back(std::move(frame));
    lock.unlock();
    changed_.notify_all();
    return true;
  }

  // Writes what is queued, then stops. Idempotent; not for the writing thread itself.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return closed_ || !frames_.empty(); });
      if (frames_.empty()) return;
      const Frame frame = std::move(frames_.front());
      frames_.pop_front();
      lock.unlock();
      const std::size_t size = frame.ByteSizeLong();
      const bool written = stream_.write(frame);
      lock.lock();
      queued_ -= size;
      if (written) continue;
      closed_ = true;
      lock.unlock();
      stream_.broken();
      return;
    }
  }

  Stream stream_;
  std::size_t max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Frame> frames_;
  std::size_t queued_ = 0;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace tally::task
