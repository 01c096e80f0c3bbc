// tally-dispute-sim [--disputes N] [--seed N]: the table of docs/disputes.md. The same arguments
// give the same table.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/dispute_sim/sim.hpp"

int main(int argc, char** argv) {
  std::uint64_t disputes = 10'000;
  std::uint64_t seed = 1;
  for (int i = 1; i < argc; i += 2) {
    const bool has_value = i + 1 < argc;
    if (has_value && std::strcmp(argv[i], "--disputes") == 0) {
      disputes = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (has_value && std::strcmp(argv[i], "--seed") == 0) {
      seed = std::strtoull(argv[i + 1], nullptr, 10);
    } else {
      std::fprintf(stderr, "expected --disputes N and --seed N, got %s\n", argv[i]);
      return 2;
    }
  }
  const auto rows = tally::dispute_sim::all_rows(disputes, seed);
  std::vector<tally::dispute_sim::Outcome> outcomes;
  for (const auto& row : rows) {
    outcomes.push_back(tally::dispute_sim::simulate(row));
    std::fprintf(stderr, "%zu of %zu rows\n", outcomes.size(), rows.size());
  }
  std::fputs(tally::dispute_sim::table(rows, outcomes).c_str(), stdout);
  return 0;
}
