// What a test sets while the threads of a server read it. The lock also orders what the test did
// before: what passes between client and server on a socket orders nothing that a thread sanitizer
// could see.
#pragma once

#include <mutex>
#include <utility>

namespace tally::testing {

// T: a std::function, or a std::optional.
template <class T>
class Knob {
 public:
  Knob& operator=(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    return *this;
  }
  void reset() { *this = T{}; }
  T take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(value_, T{});
  }
  T get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace tally::testing
