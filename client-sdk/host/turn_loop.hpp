// One thread that runs what others hand it, many pieces a turn, and ends each turn with one call:
// whoever waits for a piece is told after that. So one sync covers all that came in meanwhile.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace tally::client {

class TurnLoop {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TurnLoop(std::function<void()> end_of_turn) : end_of_turn_(std::move(end_of_turn)) {}
  ~TurnLoop() { stop(); }
  TurnLoop(const TurnLoop&) = delete;
  TurnLoop& operator=(const TurnLoop&) = delete;

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  // Runs it in some turn; false if the loop has stopped: then it never runs.
  bool post(std::function<void()> piece) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      pieces_.push_back({std::move(piece), nullptr});
    }
    changed_.notify_all();
    return true;
  }
  void post_at(Clock::time_point when, std::function<void()> piece) {
    {
      const std::lock_guard lock(mutex_);
      later_.emplace(when, std::move(piece));
    }
    changed_.notify_all();
  }
  // Runs it and returns when its turn has ended; false if the loop has stopped. Not for the loop's
  // own thread.
  bool call(const std::function<void()>& piece) {
    // Shared: the loop may still be inside set_value() when the caller has its answer.
    const auto done = std::make_shared<std::promise<void>>();
    auto ended = done->get_future();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
      pieces_.push_back({piece, done});
    }
    changed_.notify_all();
    ended.wait();
    return true;
  }

 private:
  struct Piece {
    std::function<void()> run;
    std::shared_ptr<std::promise<void>> done;
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      const auto now = Clock::now();
      while (!later_.empty() && later_.begin()->first <= now) {
        pieces_.push_back({std::move(later_.begin()->second), nullptr});
        later_.erase(later_.begin());
      }
      if (pieces_.empty()) {
        if (stopping_) return;
        if (later_.empty()) {
          changed_.wait(lock);
        } else {
          changed_.wait_until(lock, later_.begin()->first);
        }
        continue;
      }
      const auto turn = std::exchange(pieces_, {});
      lock.unlock();
      for (const Piece& piece : turn) piece.run();
      end_of_turn_();
      for (const Piece& piece : turn) {
        if (piece.done != nullptr) piece.done->set_value();
      }
      lock.lock();
    }
  }

  std::function<void()> end_of_turn_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> pieces_;
  std::multimap<Clock::time_point, std::function<void()>> later_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tally::client
