// The core thread's inbox: what the other threads want it to do.
//
// Order. Control (a peer came or went) first; then urgent frames, which are the validators'
// consensus traffic; then, one of each in turn, results that the core waits for, calls of clients,
// and all other frames. Frames are taken from one peer after another, so that no peer's flood
// stands before another's vote; of one peer and kind they keep their order. Of every
// kOthersEvery tasks one is not urgent, whatever comes: validators alone do not stop the rest.
//
// Bounds. Peers' frames are bounded by the transport (it stops reading from a peer whose frames are
// not yet handled), results by the checks that the core asked for. Calls come through try_push(),
// which refuses when `calls_max` of them wait.
//
// Threads: push…, try_push and close from any; wait and next from the core thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "node/ports/network.hpp"

namespace tally::service {

class Inbox {
 public:
  using Task = std::function<void()>;
  using Deadline = std::chrono::steady_clock::time_point;
  struct Next {
    Task task;
    bool urgent = false;  // control, or a validator's consensus frame
  };
  static constexpr std::size_t kOthersEvery = 16;

  explicit Inbox(std::size_t calls_max) : calls_max_(calls_max) {}

  void push_control(Task task) {
    add([&] { control_.push_back(std::move(task)); });
  }
  void push_result(Task task) {
    add([&] { results_.push_back(std::move(task)); });
  }
  void push_frame(const ports::PeerId& from, bool urgent, Task task) {
    add([&] { (urgent ? urgent_ : frames_).push(from, std::move(task)); });
  }
  // False: too many wait, or the node is stopping.
  [[nodiscard]] bool try_push(Task task) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || calls_.size() >= calls_max_) return false;
      ++size_;
      calls_.push_back(std::move(task));
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

  // Until there is a task, the deadline has come or the inbox is closed.
  void wait(const std::optional<Deadline>& deadline) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return closed_ || size_ > 0; };
    if (deadline) {
      wake_.wait_until(lock, *deadline, ready);
    } else {
      wake_.wait(lock, ready);
    }
  }
  // The task whose turn it is, if there is one.
  std::optional<Next> next() {
    const std::lock_guard lock(mutex_);
    if (size_ == 0) return std::nullopt;
    --size_;
    if (!control_.empty()) return Next{take(control_), true};
    const bool others = !results_.empty() || !calls_.empty() || !frames_.ready.empty();
    if (!urgent_.ready.empty() && (!others || ++urgent_taken_ % kOthersEvery != 0)) {
      return Next{urgent_.pop(), true};
    }
    for (;;) {
      other_ = (other_ + 1) % 3;
      if (other_ == 0 && !results_.empty()) return Next{take(results_)};
      if (other_ == 1 && !calls_.empty()) return Next{take(calls_)};
      if (other_ == 2 && !frames_.ready.empty()) return Next{frames_.pop()};
    }
  }

  bool finished() const {
    const std::lock_guard lock(mutex_);
    return closed_ && size_ == 0;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return size_;
  }

 private:
  // Frames of many peers, one of each in turn.
  struct PeerQueues {
    std::map<ports::PeerId, std::deque<Task>> queues;  // none of them empty
    std::deque<ports::PeerId> ready;                   // each of them once

    void push(const ports::PeerId& from, Task task) {
      std::deque<Task>& queue = queues[from];
      if (queue.empty()) ready.push_back(from);
      queue.push_back(std::move(task));
    }
    Task pop() {
      const auto found = queues.find(ready.front());
      ready.pop_front();
      Task out = take(found->second);
      if (found->second.empty()) {
        queues.erase(found);
      } else {
        ready.push_back(found->first);
      }
      return out;
    }
  };

  static Task take(std::deque<Task>& queue) {
    Task out = std::move(queue.front());
    queue.pop_front();
    return out;
  }
  template <class Push>
  void add(Push push) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      ++size_;
      push();
    }
    wake_.notify_one();
  }

  const std::size_t calls_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> control_;
  PeerQueues urgent_;
  std::deque<Task> results_;
  std::deque<Task> calls_;
  PeerQueues frames_;
  std::size_t size_ = 0;  // of all of them
  std::size_t urgent_taken_ = 0;
  std::size_t other_ = 0;  // which of the three kinds came last
  bool closed_ = false;
};

}  // namespace tally::service
