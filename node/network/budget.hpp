// Budget: so many units a second, and a burst of so many at once. What one peer or one address may
// use of something that is shared. Units: whatever is counted; time is given by the caller.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tally::network {

using SteadyTime = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

struct Rate {
  std::int64_t per_second{};
  std::int64_t burst{};
};

class Budget {
 public:
  Budget(Rate rate, SteadyTime now) : rate_(rate), level_(rate.burst * kTicksPerSecond), at_(now) {}

  // Takes it if there is anything left at all; the level may go below zero by one charge.
  bool admit(SteadyTime now, std::int64_t units) {
    refill(now);
    if (level_ <= 0) return false;
    level_ -= units * kTicksPerSecond;
    return true;
  }
  void charge(SteadyTime now, std::int64_t units) {
    refill(now);
    level_ -= units * kTicksPerSecond;
  }
  // How long until something is left again; zero if something is.
  Milliseconds wait(SteadyTime now) {
    refill(now);
    if (level_ > 0) return Milliseconds(0);
    return Milliseconds(-level_ / rate_.per_second + 1);
  }
  bool full(SteadyTime now) const {
    Budget later = *this;
    later.refill(now);
    return later.level_ >= rate_.burst * kTicksPerSecond;
  }
  // From now on; what is left stays, up to the new burst.
  void set_rate(Rate rate, SteadyTime now) {
    refill(now);
    rate_ = rate;
    level_ = std::min(level_, rate.burst * kTicksPerSecond);
  }

 private:
  static constexpr std::int64_t kTicksPerSecond = 1'000;  // the level is kept in thousandths

  void refill(SteadyTime now) {
    // A minute fills any level; more would only overflow.
    const auto passed = std::chrono::duration_cast<Milliseconds>(now - at_).count();
    if (passed <= 0) return;
    at_ += Milliseconds(passed);
    const std::int64_t gained = std::min<std::int64_t>(passed, 60'000) * rate_.per_second;
    level_ = std::min(rate_.burst * kTicksPerSecond, level_ + gained);
  }

  Rate rate_;
  std::int64_t level_;
  SteadyTime at_;
};

}  // namespace tally::network
