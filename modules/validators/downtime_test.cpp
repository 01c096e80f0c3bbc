#include <catch2/catch.hpp>

#include "modules/validators/downtime.hpp"
#include "modules/validators/fixture_test.hpp"

namespace tally::validators {
namespace {

using People = std::vector<int>;

TEST_CASE("who missed most of its views is fined and out until it rejoins") {
  Fixture f({.epoch_length = 12});
  f.absent(2);
  f.to_epoch(2);
  CHECK(f.candidate(2).standing == Standing::out);
  CHECK(f.candidate(2).bonded == cc(1'998));
  CHECK(f.held(2) == cc(1'998));
  CHECK(f.issuance() == Balance(cc(12'000'000).micro - cc(2).micro));
  CHECK(f.people_of(*set_of(f.state(), Epoch(3))) == People{1, 3, 4});
  // It is a member in epoch 2 still, and is not fined a second time.
  f.to_epoch(3);
  CHECK(f.candidate(2).bonded == cc(1'998));
  CHECK(refused(f.call(1, Rejoin{}), Error::not_out));
  REQUIRE(f.call(2, Rejoin{}).ok());
  f.present(2);
  f.to_epoch(5);
  CHECK(f.people_of(validator_set(f.state())) == People{1, 3, 4, 2});
}

TEST_CASE("who is there for half of its views stays") {
  Fixture f({.epoch_length = 40});
  f.absent(2);
  while (f.block().number.value < 12) f.next_block();
  f.present(2);
  f.to_epoch(2);
  CHECK(f.candidate(2).standing == Standing::bonded);
}

TEST_CASE("a fine below the minimum is made good before the validator is back") {
  Fixture f({.epoch_length = 12, .bond = 1'000});
  f.absent(2);
  f.to_epoch(2);
  CHECK(f.candidate(2).bonded == cc(999));
  CHECK(refused(f.call(2, Rejoin{}), Error::bond_too_small));
  REQUIRE(f.call(2, BondMore{{cc(1)}}).ok());
  CHECK(f.call(2, Rejoin{}).ok());
}

// Fails without the limit in absent(): the set of epoch 3 would have one member.
TEST_CASE("no more than a third leave at a time, the worst first") {
  Fixture f({.validators = 7, .epoch_length = 40, .validators_max = 7});
  for (const int who : {5, 6, 7}) f.absent(who);
  f.to_epoch(2);
  CHECK(set_of(f.state(), Epoch(3))->size() == 5);
  f.to_epoch(3);
  CHECK(f.people_of(*set_of(f.state(), Epoch(4))) == People{1, 2, 3, 4});
}

// Fails without kViewsPerBlockMax.
TEST_CASE("few views, or too many of them failed, judge nobody") {
  Fixture f({.epoch_length = 4});
  f.next_block_at(View(1), person(1));
  f.next_block_at(View(2), person(1));
  f.next_block_at(View(3), person(1));
  SECTION("at most four views a block are judged") {
    f.next_block_at(View(16), person(1));
    CHECK(f.candidate(2).standing == Standing::out);
  }
  SECTION("more are nobody's fault in particular") {
    f.next_block_at(View(17), person(1));
    for (int who = 1; who <= 4; ++who) {
      CHECK(f.candidate(who).standing == Standing::bonded);
    }
  }
}

TEST_CASE("a lone validator, or two or three, are never put out") {
  for (const int count : {1, 2, 3}) {
    Fixture f({.validators = count, .epoch_length = 12});
    for (std::uint32_t i = 1; i <= 12; ++i) f.next_block_at(View(2 * i), person(1));
    for (int who = 1; who <= count; ++who) {
      CHECK(f.candidate(who).standing == Standing::bonded);
    }
  }
}

TEST_CASE("the roll: thresholds, order and limit") {
  Roll roll;
  roll.views_min = 4;
  roll.members = {{4, 2}, {4, 3}, {3, 3}, {10, 9}, {100, 60}, {8, 0}, {8, 8}};
  roll.may_leave.assign(roll.members.size(), true);
  CHECK(absent(roll) == std::vector<std::size_t>{6, 3});
  roll.may_leave[6] = false;
  CHECK(absent(roll) == std::vector<std::size_t>{3, 1});
  roll.views_min = 0;
  roll.members = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
  roll.may_leave.assign(4, true);
  CHECK(absent(roll).empty());
  CHECK(absent(Roll{}).empty());
}

}  // namespace
}  // namespace tally::validators
