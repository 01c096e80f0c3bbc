// Lives of channels from fixed seeds. More of them, and fresh ones: tally-channel-sim.
#include <catch2/catch.hpp>

#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {
namespace {

LifeResult live(Shape shape, std::uint64_t seed) {
  LifeOptions options;
  options.seed = seed;
  options.shape = shape;
  return run_life(options);
}

}  // namespace

TEST_CASE("channel sim: the same seed gives the same life, another one another") {
  for (std::size_t i = 0; i < kShapes; ++i) {
    const auto shape = static_cast<Shape>(i);
    const LifeResult first = live(shape, 7);
    CHECK(live(shape, 7).trace == first.trace);
    CHECK(live(shape, 8).trace != first.trace);
  }
}

// A restored party signs a close, a splice that it forgot becomes final, and the chain takes that
// close no more: shown to fail, for ever, while it went on trying.
TEST_CASE("channel sim: seeds that once failed") {
  CHECK(live(static_cast<Shape>(9'885 % kShapes), 9'885).failure.value_or("") == "");
}

// A path that no seed takes any more is one that nothing tests.
TEST_CASE("channel sim: fixed seeds hold, and take every rare path") {
  Coverage coverage;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const LifeResult result = live(static_cast<Shape>(seed % kShapes), seed);
    INFO("seed " << seed);
    CHECK(result.failure.value_or("") == "");
    coverage.add(result.coverage);
  }
  for (std::size_t i = 0; i < kMarkNames.size(); ++i) {
    INFO(kMarkNames[i]);
    CHECK(coverage.of(static_cast<Mark>(i)) > 0);
  }
}

}  // namespace tally::channel_sim
