// The simulator's only source of chance: one 64-bit seed, split by name so that a new consumer does
// not shift the numbers of the others. SplitMix64.
#pragma once

#include <cstdint>
#include <string_view>

#include "primitives/crypto/hash.hpp"

namespace tally::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  Random(std::uint64_t seed, std::string_view purpose)
      : state_(seed ^ xxhash64(as_bytes(purpose), 0)) {
    next();
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  // 0 when bound is 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool chance(std::uint64_t per_mille) { return below(1'000) < per_mille; }

 private:
  std::uint64_t state_;
};

}  // namespace tally::sim
