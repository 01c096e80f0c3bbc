// A short run of every row: the long one, and the table, are in docs/disputes.md.
#include <catch2/catch.hpp>

#include "tests/dispute_sim/sim.hpp"

namespace tally::dispute_sim {
namespace {

// Shown to fail by fining nobody (fines() in payout.cpp): the lazy then earn more.
TEST_CASE("dispute simulator: honesty pays, up to a third of the stake against it") {
  for (const Row& row : all_rows(400, 7)) {
    const Outcome outcome = simulate(row);
    INFO(table({row}, {outcome}));
    CHECK(outcome.disputes == row.disputes);
    CHECK(outcome.honest_per_duty > 0);
    if (outcome.duties_other > 0) CHECK(outcome.honest_per_duty > outcome.other_per_duty);
    CHECK(gain_of_cheating(row, outcome, 10) < 0);
    if (row.wrong_percent < 100) CHECK(outcome.lying_challenger_per_dispute < 0);
    if (row.strategy == Strategy::honest) {
      CHECK(outcome.false_verdicts + outcome.inconclusive + outcome.appeals == 0);
    }
  }
}

TEST_CASE("dispute simulator: the same seed gives the same table") {
  const Row row{Strategy::with_worker, 33, 50, 500, 100, 3};
  CHECK(table({row}, {simulate(row)}) == table({row}, {simulate(row)}));
}

}  // namespace
}  // namespace tally::dispute_sim
