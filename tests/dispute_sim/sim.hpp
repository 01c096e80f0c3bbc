// The dispute simulator: thousands of disputes on the real module, among verifiers of which a part
// plays by a strategy of its own. What everybody earned is read from the accounts.
//
// Sixty verifiers with 200 CC of stake each; `share_percent` of them play `strategy`, the rest is
// honest. Every dispute is about a task of `price`. In `wrong_percent` of them the worker's output
// is wrong and the challenger is right; else the challenge is false. A side that knows that it is
// right appeals when it loses. Re-running a task costs a verifier what the task costs at the
// reference price; a strategy that does not run it does not pay that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tally::dispute_sim {

enum class Strategy : std::uint8_t {
  honest,
  lazy,             // votes the worker's output without running anything
  copying,          // commits to what another has committed to; in the second round, to what most
                    // of the first revealed
  with_worker,      // in league with workers that cheat: votes for their output
  with_challenger,  // in league with challengers that lie: votes for an output of their own
};

struct Row {
  Strategy strategy = Strategy::honest;
  unsigned share_percent = 0;
  unsigned wrong_percent = 50;
  std::uint64_t price_milli = 500;  // mCC
  std::uint64_t disputes = 10'000;
  std::uint64_t seed = 1;
};

// Amounts in CC.
struct Outcome {
  std::uint64_t disputes = 0;
  std::uint64_t duties_honest = 0;  // seats taken
  std::uint64_t duties_other = 0;
  double honest_per_duty = 0;
  double other_per_duty = 0;
  std::uint64_t appeals = 0;
  std::uint64_t false_verdicts = 0;  // that stood
  std::uint64_t inconclusive = 0;
  double cheating_worker_per_dispute = 0;
  double lying_challenger_per_dispute = 0;
};
Outcome simulate(const Row& row);

// What a worker that cheats on every task gains a task when that part of them is audited and
// disputed: the price where it is not, what the disputes cost it where it is.
double gain_of_cheating(const Row& row, const Outcome& outcome, unsigned audit_percent);

std::string_view name_of(Strategy strategy);
std::vector<Row> all_rows(std::uint64_t disputes, std::uint64_t seed);
// Of all rows, as Markdown.
std::string table(const std::vector<Row>& rows, const std::vector<Outcome>& outcomes);

}  // namespace tally::dispute_sim
