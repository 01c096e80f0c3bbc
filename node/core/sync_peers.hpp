// What sync remembers of a peer: how far it says that it is, and how it has served. Who does not
// answer, or not truly, is asked again later and later, with more time to answer; who serves well
// starts afresh. So no peer can hold sync up for long, and one that is only slow is not lost where
// there is no other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "node/ports/clock.hpp"
#include "node/ports/network.hpp"

namespace tally::core {

class SyncPeer {
 public:
  static constexpr std::uint64_t kPatienceMs = 2'000;  // for an answer, doubled with each miss
  static constexpr std::uint64_t kPauseMs = 4'000;     // after a miss, likewise
  static constexpr unsigned kDoublingsMax = 4;
  static constexpr unsigned kTrustedMisses = 2;  // above, its word on its head is not repeated

  BlockNumber head;  // as it says

  void miss(ports::Instant now) {
    rests_until_ = now + DurationMs(kPauseMs << std::min(misses_, kDoublingsMax));
    ++misses_;
  }
  void serve() { misses_ = 0; }
  bool rests(ports::Instant now) const { return misses_ > 0 && now < rests_until_; }
  bool is_trusted() const { return misses_ <= kTrustedMisses; }
  ports::Instant rests_until() const { return rests_until_; }
  DurationMs patience() const {
    return DurationMs(kPatienceMs << std::min(misses_, kDoublingsMax));
  }

 private:
  unsigned misses_ = 0;  // since it last served
  ports::Instant rests_until_;
};

}  // namespace tally::core
