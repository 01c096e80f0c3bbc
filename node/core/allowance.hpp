// Allowance: what one peer may have served. Answering a request costs disk and core-thread time out
// of all proportion to asking, so each peer has a level of bytes that refills with time; below zero
// its requests are dropped, and an honest peer asks another one after its patience.
//
// What is asked is charged before it is answered, what was sent afterwards: a level may go below
// zero by the replies of one turn. Units: bytes, milliseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "node/ports/clock.hpp"

namespace tally::core {

class Allowance {
 public:
  static constexpr std::int64_t kFull = std::int64_t{64} << 20;
  static constexpr std::int64_t kPerMs = (std::int64_t{32} << 20) / 1'000;
  // For a request as such, and for each block that it may make us read.
  static constexpr std::uint64_t kRequest = std::uint64_t{16} << 10;

  explicit Allowance(ports::Instant now) : at_(now) {}

  // Whether a request is answered at all; one that is pays `cost` at once.
  bool admit(ports::Instant now, std::uint64_t cost) {
    // A minute fills any level; more would only overflow.
    const std::uint64_t passed = std::min<std::uint64_t>(ports::elapsed(at_, now).value, 60'000);
    level_ = std::min(kFull, level_ + static_cast<std::int64_t>(passed) * kPerMs);
    at_ = std::max(at_, now);
    if (level_ <= 0) return false;
    charge(cost);
    return true;
  }
  void charge(std::uint64_t bytes) { level_ -= static_cast<std::int64_t>(bytes); }

 private:
  std::int64_t level_ = kFull;
  ports::Instant at_;
};

}  // namespace tally::core
