// A few threads that do one piece of work after another, in the order in which they came.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tally::worker {

class Crew {
 public:
  explicit Crew(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Crew() { stop(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void add(std::function<void()> piece) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      pieces_.push_back(std::move(piece));
    }
    changed_.notify_one();
  }
  // Finishes what was begun; drops the rest.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      pieces_.clear();
    }
    changed_.notify_all();
    for (auto& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !pieces_.empty(); });
      if (pieces_.empty()) return;
      const auto piece = std::move(pieces_.front());
      pieces_.pop_front();
      lock.unlock();
      piece();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> pieces_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tally::worker
