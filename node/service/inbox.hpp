// The core thread's inbox: what the other threads want it to do, in order of arrival.
//
// Bounds. Peers' frames are bounded by the transport (it stops reading from a peer whose frames are
// not yet handled), signature results by the checks that the core asked for. Everything else comes
// through try_push(), which refuses when `calls_max` such calls wait.
//
// Threads: push, try_push and close from any; take from the core thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace tally::service {

class Inbox {
 public:
  using Task = std::function<void()>;
  using Deadline = std::chrono::steady_clock::time_point;

  explicit Inbox(std::size_t calls_max) : calls_max_(calls_max) {}

  void push(Task task) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      tasks_.push_back({std::move(task), false});
    }
    wake_.notify_one();
  }

  // False: too many wait, or the node is stopping.
  [[nodiscard]] bool try_push(Task task) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || calls_ >= calls_max_) return false;
      ++calls_;
      tasks_.push_back({std::move(task), true});
    }
    wake_.notify_one();
    return true;
  }

  // After this nothing is taken in; what is here is still handed out.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_one();
  }

  // Waits until there is a task, the deadline has come or the inbox is closed; at most `max` tasks.
  std::deque<Task> take(const std::optional<Deadline>& deadline, std::size_t max) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return closed_ || !tasks_.empty(); };
    if (deadline) {
      wake_.wait_until(lock, *deadline, ready);
    } else {
      wake_.wait(lock, ready);
    }
    std::deque<Task> out;
    while (!tasks_.empty() && out.size() < max) {
      if (tasks_.front().is_call) --calls_;
      out.push_back(std::move(tasks_.front().task));
      tasks_.pop_front();
    }
    return out;
  }

  bool finished() const {
    const std::lock_guard lock(mutex_);
    return closed_ && tasks_.empty();
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return tasks_.size();
  }

 private:
  struct Entry {
    Task task;
    bool is_call;
  };

  const std::size_t calls_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> tasks_;
  std::size_t calls_ = 0;
  bool closed_ = false;
};

}  // namespace tally::service
