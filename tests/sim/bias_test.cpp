#include "tests/sim/bias.hpp"

#include <catch2/catch.hpp>

namespace tally::sim {

TEST_CASE("bias: nobody withholds, nobody gains") {
  const Bias bias = measure_bias({4, 0, 0.5}, 2'000, 1);
  CHECK(bias.won == Approx(0.5).margin(0.05));
  CHECK(bias.withheld == 0);
  CHECK(bias.bits == 0);
}

// Shown to fail with a coalition that always publishes, and with one that sees honest outputs too.
TEST_CASE("bias: a coalition below a third gains what docs/randomness.md says, not more") {
  for (const BiasGame& game :
       {BiasGame{4, 1, 0.5}, BiasGame{7, 2, 0.5}, BiasGame{10, 3, 0.5}, BiasGame{10, 3, 0.1}}) {
    const Bias bias = measure_bias(game, 2'000, 7);
    INFO(game.validators << " validators, " << game.faulty << " faulty, p " << game.probability);
    CHECK(bias.won > game.probability);  // it does gain something: the game is played
    CHECK(bias.won < bias.won_formula + 0.08);
    CHECK(bias.bits < bias.bits_formula + 0.05);
  }
}

}  // namespace tally::sim
