// What a peer may have served: bursts, refills, and replies charged afterwards.
#include "node/core/allowance.hpp"

#include <catch2/catch.hpp>

namespace tally::core {

using ports::Instant;

TEST_CASE("a flood of requests is answered until the allowance is used up") {
  Allowance allowance(Instant(0), Allowance::kPeer);
  const std::uint64_t range = 64 * Allowance::kRequest;
  std::uint64_t answered = 0;
  for (int i = 0; i < 100'000; ++i) answered += allowance.admit(Instant(0), range) ? 1 : 0;
  CHECK(answered == static_cast<std::uint64_t>(Allowance::kPeer.full) / range);
}

TEST_CASE("a reply is charged when it is sent, and time makes up for it") {
  Allowance allowance(Instant(1'000), Allowance::kPeer);
  REQUIRE(allowance.admit(Instant(1'000), Allowance::kRequest));
  allowance.charge(2 * static_cast<std::uint64_t>(Allowance::kPeer.full));
  CHECK_FALSE(allowance.admit(Instant(1'000), Allowance::kRequest));
  CHECK_FALSE(allowance.admit(Instant(2'900), Allowance::kRequest));
  CHECK(allowance.admit(Instant(3'100), Allowance::kRequest));
}

TEST_CASE("a pause of any length fills the allowance and no more") {
  Allowance allowance(Instant(0), Allowance::kPeer);
  REQUIRE(allowance.admit(Instant(0), Allowance::kRequest));
  REQUIRE(allowance.admit(Instant(UINT64_MAX), static_cast<std::uint64_t>(Allowance::kPeer.full)));
  CHECK_FALSE(allowance.admit(Instant(UINT64_MAX), 1));
}

TEST_CASE(
    "a peer that asks for one full range after another is served faster than blocks are made") {
  Allowance allowance(Instant(0), Allowance::kPeer);
  std::uint64_t blocks = 0;
  for (std::uint64_t ms = 0; ms < 60'000; ms += 20) {  // its round trip
    if (!allowance.admit(Instant(ms), Allowance::kRequest)) continue;
    allowance.charge(std::uint64_t{2} << 20);  // one block of the largest size
    ++blocks;
  }
  CHECK(blocks >= 60'000 / 100);  // the shortest interval between blocks
}

TEST_CASE("however many peers ask, those that are no validators share one level") {
  Allowance guests(Instant(0), Allowance::kGuests);
  std::uint64_t served = 0;
  const std::uint64_t range = 64 * Allowance::kRequest;
  for (int i = 0; i < 64; ++i) {
    Allowance peer(Instant(0), Allowance::kPeer, &guests);
    for (int j = 0; j < 1'000; ++j) served += peer.admit(Instant(0), range) ? range : 0;
  }
  CHECK(served == static_cast<std::uint64_t>(Allowance::kGuests.full));
  // A validator does not stand in that line.
  Allowance validator(Instant(0), Allowance::kPeer, &guests);
  CHECK_FALSE(validator.admit(Instant(0), range));
  validator.leave(guests);
  CHECK(validator.admit(Instant(0), range));
}

TEST_CASE("what is given back fills a level and the one above it, and no more") {
  Allowance above(Instant(0), {100, 1});
  Allowance level(Instant(0), {50, 1}, &above);
  REQUIRE(level.admit(Instant(0), 50));
  CHECK_FALSE(level.admit(Instant(0), 1));
  level.give_back(60);
  REQUIRE(level.admit(Instant(0), 50));
  CHECK_FALSE(level.admit(Instant(0), 1));
  Allowance other(Instant(0), {200, 1}, &above);
  REQUIRE(other.admit(Instant(0), 50));  // of 100, with 50 taken
  CHECK_FALSE(other.admit(Instant(0), 1));
}

TEST_CASE("useless gossip is heard at its rate, and silence makes up for it") {
  Allowance gossip(Instant(0), Allowance::kGossip);
  std::size_t heard = 0;
  for (std::uint64_t ms = 0; ms < 10'000; ++ms) {
    for (int i = 0; i < 10; ++i) {
      if (!gossip.admit(Instant(ms), 0)) continue;
      gossip.charge(25);
      ++heard;
    }
  }
  CHECK(heard >= 36'000 - 20);
  CHECK(heard <= 36'000 + 20);
  CHECK(gossip.admit(Instant(20'000), 0));
}

}  // namespace tally::core
