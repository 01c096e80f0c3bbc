#include "modules/validators/draw_window.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <map>

#include "modules/validators/fixture_test.hpp"

namespace tally::validators {
namespace {

ValidatorSet set_with(const std::vector<std::uint64_t>& weights) {
  ValidatorSet set;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Validator member;
    member.account = person(static_cast<std::uint8_t>(i + 1));
    member.consensus_key.bytes.fill(static_cast<std::uint8_t>(i + 1));
    member.weight = weights[i];
    REQUIRE(set.members.push_back(member));
  }
  return set;
}

WindowBlock block_of(std::uint32_t number, std::uint64_t views, std::uint8_t leader,
                     const ValidatorSet& set, std::uint64_t epoch = 1) {
  return {BlockNumber(number), Epoch(epoch), views, person(leader),
          set.members[std::size_t{leader} - 1].weight};
}

TEST_CASE("a draw waits for leaders of more than a third") {
  const ValidatorSet four = set_with({1, 1, 1, 1});
  DrawWindow window;
  const auto next = [&](std::uint32_t number, std::uint8_t leader) {
    window = advance(window, {block_of(number, number, leader, four), four});
    return window.ready.value;
  };
  CHECK(next(1, 1) == 0);
  CHECK(next(2, 2) == 0);  // leaders of (0, 2] weigh 2 of 4
  CHECK(next(3, 2) == 0);  // of (1, 3] only 1
  CHECK(next(4, 3) == 2);
  CHECK(next(5, 1) == 3);
  CHECK(window.blocks.size() == 2);
}

// Fails with >= for > in ready_by_leaders: all of the third may be faulty.
TEST_CASE("exactly a third is not enough") {
  const ValidatorSet three = set_with({1, 1, 1});
  DrawWindow window;
  window = advance(window, {block_of(1, 1, 1, three), three});
  CHECK(window.ready == BlockNumber(0));
  CHECK(window.blocks.size() == 1);
  window = advance(window, {block_of(2, 2, 2, three), three});
  CHECK(window.ready == BlockNumber(0));
  window = advance(window, {block_of(3, 3, 3, three), three});
  CHECK(window.ready == BlockNumber(1));
}

TEST_CASE("a lone validator's draws are ready at once") {
  const ValidatorSet one = set_with({7});
  const DrawWindow window = advance(DrawWindow{}, {block_of(5, 5, 1, one), one});
  CHECK(window.ready == BlockNumber(4));
}

TEST_CASE("after 4n views a draw waits no longer") {
  const ValidatorSet four = set_with({1, 1, 1, 1});
  DrawWindow window;
  for (std::uint32_t number = 1; number <= 17; ++number) {
    window = advance(window, {block_of(number, number, 1, four), four});
    CHECK(window.ready.value == (number == 17 ? 1u : 0u));
  }
}

TEST_CASE("leaders of an earlier epoch do not count, its views do") {
  const ValidatorSet four = set_with({1, 1, 1, 1});
  DrawWindow window;
  window = advance(window, {block_of(1, 1, 1, four, 1), four});
  window = advance(window, {block_of(2, 2, 2, four, 2), four});
  CHECK(window.ready == BlockNumber(0));
  window = advance(window, {block_of(3, 3, 2, four, 2), four});
  CHECK(window.ready == BlockNumber(0));
  window = advance(window, {block_of(4, 19, 2, four, 2), four});
  CHECK(window.ready == BlockNumber(3));
}

// All blocks ever, by the words of the contract.
BlockNumber ready_by_words(const std::vector<WindowBlock>& all, const ValidatorSet& set) {
  std::uint32_t best = 0;
  for (std::uint32_t c = 0; c < all.size(); ++c) {
    std::map<AccountId, std::uint64_t> leaders;
    for (std::size_t i = c; i < all.size(); ++i) {
      if (all[i].epoch == all.back().epoch) leaders[all[i].leader] = all[i].weight;
    }
    std::uint64_t weight = 0;
    for (const auto& [leader, its] : leaders) weight += its;
    const std::uint64_t views_at_c = c == 0 ? 0 : all[c - 1].views;
    const bool waited = all.back().views - views_at_c >= 4 * set.size();
    if (3 * weight > set.total_weight() || waited) best = c;
  }
  return BlockNumber(best);
}

TEST_CASE("the window gives what all blocks together would") {
  CHECK(rc::check([] {
    std::vector<std::uint64_t> weights = *rc::gen::container<std::vector<std::uint64_t>>(
        *rc::gen::inRange<std::size_t>(1, 7), rc::gen::inRange<std::uint64_t>(1, 20));
    const ValidatorSet set = set_with(weights);
    std::vector<WindowBlock> all;
    DrawWindow window;
    std::uint64_t views = 0;
    std::uint64_t epoch = 1;
    BlockNumber floor(0);
    for (std::uint32_t number = 1; number <= 60; ++number) {
      views += *rc::gen::inRange<std::uint64_t>(1, 4);
      if (*rc::gen::inRange(0, 15) == 0) ++epoch;
      const auto leader =
          static_cast<std::uint8_t>(*rc::gen::inRange<std::size_t>(1, weights.size() + 1));
      all.push_back(block_of(number, views, leader, set, epoch));
      window = advance(window, {all.back(), set});
      floor = std::max(floor, ready_by_words(all, set));
      RC_ASSERT(window.ready == floor);
      RC_ASSERT(window.blocks.size() <= 4 * set.size());
    }
  }));
}

TEST_CASE("blocks carry the window on") {
  Fixture f({.epoch_length = 6});
  BlockNumber before(0);
  for (int i = 0; i < 20; ++i) {
    f.next_block();
    CHECK(f.block().draw_ready >= before);
    CHECK(f.block().draw_ready < f.block().number);
    before = f.block().draw_ready;
  }
  CHECK(before.value >= 16);
}

}  // namespace
}  // namespace tally::validators
