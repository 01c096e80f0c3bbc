// What a peer may have served: bursts, refills, and replies charged afterwards.
#include "node/core/allowance.hpp"

#include <catch2/catch.hpp>

namespace tally::core {

using ports::Instant;

TEST_CASE("a flood of requests is answered until the allowance is used up") {
  Allowance allowance(Instant(0));
  const std::uint64_t range = 64 * Allowance::kRequest;
  std::uint64_t answered = 0;
  for (int i = 0; i < 100'000; ++i) answered += allowance.admit(Instant(0), range) ? 1 : 0;
  CHECK(answered == static_cast<std::uint64_t>(Allowance::kFull) / range);
}

TEST_CASE("a reply is charged when it is sent, and time makes up for it") {
  Allowance allowance(Instant(1'000));
  REQUIRE(allowance.admit(Instant(1'000), Allowance::kRequest));
  allowance.charge(2 * static_cast<std::uint64_t>(Allowance::kFull));
  CHECK_FALSE(allowance.admit(Instant(1'000), Allowance::kRequest));
  CHECK_FALSE(allowance.admit(Instant(2'900), Allowance::kRequest));
  CHECK(allowance.admit(Instant(3'100), Allowance::kRequest));
}

TEST_CASE("a pause of any length fills the allowance and no more") {
  Allowance allowance(Instant(0));
  REQUIRE(allowance.admit(Instant(0), Allowance::kRequest));
  REQUIRE(allowance.admit(Instant(UINT64_MAX), static_cast<std::uint64_t>(Allowance::kFull)));
  CHECK_FALSE(allowance.admit(Instant(UINT64_MAX), 1));
}

TEST_CASE(
    "a peer that asks for one full range after another is served faster than blocks are made") {
  Allowance allowance(Instant(0));
  std::uint64_t blocks = 0;
  for (std::uint64_t ms = 0; ms < 60'000; ms += 20) {  // its round trip
    if (!allowance.admit(Instant(ms), Allowance::kRequest)) continue;
    allowance.charge(std::uint64_t{2} << 20);  // one block of the largest size
    ++blocks;
  }
  CHECK(blocks >= 60'000 / 100);  // the shortest interval between blocks
}

}  // namespace tally::core
