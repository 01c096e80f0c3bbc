#include <catch2/catch.hpp>

#include "modules/validators/fixture_test.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::validators {
namespace {

TEST_CASE("epochs follow each other, and their last block names the set after the next") {
  Fixture f({.validators = 4, .epoch_length = 3});
  Hash beacon_before = genesis_beacon("test");
  CHECK(epoch_info(f.state()) == EpochInfo{Epoch(1), BlockNumber(1), beacon_before});
  for (std::uint32_t number = 1; number <= 7; ++number) {
    const auto named = f.next_block();
    CHECK(f.block().beacon != beacon_before);
    beacon_before = f.block().beacon;
    const bool last = number % 3 == 0;
    CHECK(named.has_value() == last);
    if (named) CHECK(*named == f.genesis_set());
    CHECK(beacon(f.state()) == beacon_before);
    CHECK(epoch_info(f.state()).epoch == Epoch(1 + number / 3));
    if (last) {
      CHECK(epoch_info(f.state()) ==
            EpochInfo{Epoch(1 + number / 3), BlockNumber(number + 1), beacon_before});
      CHECK(set_of(f.state(), Epoch(2 + number / 3)) == *named);
      CHECK_FALSE(set_of(f.state(), Epoch(3 + number / 3)));
    }
  }
}

TEST_CASE("the beacon is the hash of tag, beacon and output") {
  Hash before;
  before.bytes.fill(9);
  VrfOutput output;
  output.bytes.fill(8);
  Bytes all = domain_tag("beacon");
  append(all, before);
  append(all, output);
  CHECK(fold_beacon(before, output) == blake2_256(all));
  CHECK(genesis_beacon("a") != genesis_beacon("b"));
}

}  // namespace
}  // namespace tally::validators
