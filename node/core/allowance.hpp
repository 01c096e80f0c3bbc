// Allowance: what one peer may have done for it. Answering a request costs disk and core-thread
// time out of all proportion to asking, so each peer has a level that refills with time; below zero
// its requests are dropped, and an honest peer asks another one after its patience.
//
// What is asked is charged before it is answered, what was sent afterwards: a level may go below
// zero by the replies of one turn. A level may stand under another that it shares: peers that are
// no validators have one together, so that neither their number nor a new link multiplies what they
// get.
// Units: bytes (kPeer, kGuests) or microseconds of a processor (kGossip…); time in milliseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "node/ports/clock.hpp"

namespace tally::core {

class Allowance {
 public:
  struct Rate {
    std::int64_t full{};
    std::int64_t per_ms{};
  };
  static constexpr Rate kPeer{std::int64_t{64} << 20, (std::int64_t{32} << 20) / 1'000};
  static constexpr Rate kGuests{std::int64_t{128} << 20, (std::int64_t{64} << 20) / 1'000};
  static constexpr Rate kGossip{400'000, 50};
  static constexpr Rate kGuestsGossip{1'000'000, 200};
  // For a request as such, and for each block that it may make us read.
  static constexpr std::uint64_t kRequest = std::uint64_t{16} << 10;

  // `shared` must outlive this.
  Allowance(ports::Instant now, const Rate& rate, Allowance* shared = nullptr)
      : rate_(rate), shared_(shared), level_(rate.full), at_(now) {}

  // Whether a request is answered at all; one that is pays `cost` at once.
  bool admit(ports::Instant now, std::uint64_t cost) {
    refill(now);
    if (shared_ != nullptr) shared_->refill(now);
    if (level_ <= 0 || (shared_ != nullptr && shared_->level_ <= 0)) return false;
    charge(cost);
    return true;
  }
  void charge(std::uint64_t units) {
    level_ -= static_cast<std::int64_t>(units);
    if (shared_ != nullptr) shared_->charge(units);
  }
  // Of what was charged before.
  void give_back(std::uint64_t units) {
    level_ = std::min(rate_.full, level_ + static_cast<std::int64_t>(units));
    if (shared_ != nullptr) shared_->give_back(units);
  }
  // From now on it does not stand under this one.
  void leave(const Allowance& shared) {
    if (shared_ == &shared) shared_ = nullptr;
  }

 private:
  void refill(ports::Instant now) {
    // Hours fill any level; more would only overflow.
    const std::uint64_t passed = std::min<std::uint64_t>(ports::elapsed(at_, now).value, 3'600'000);
    level_ = std::min(rate_.full, level_ + static_cast<std::int64_t>(passed) * rate_.per_ms);
    at_ = std::max(at_, now);
  }

  Rate rate_;
  Allowance* shared_;
  std::int64_t level_;
  ports::Instant at_;
};

}  // namespace tally::core
