// Finality in the simulator's virtual time, where every frame takes the same one-way delay and
// computing takes none: what is left is what the protocol waits for.
#include <algorithm>
#include <stdexcept>

#include "genesis/chain_spec.hpp"
#include "tests/sim/world.hpp"
#include "tools/benchmarks/measure.hpp"

namespace tally::bench {
namespace {

constexpr std::uint64_t kDurationMs = 120'000;

double median_finality_ms(std::uint64_t delay_ms) {
  sim::WorldOptions options;
  options.seed = 1;
  options.duration_ms = kDurationMs;
  options.faults_until_ms = 0;
  options.faults = false;
  options.delay_ms = delay_ms;
  const auto machines = sim::real_machines(options.setup);
  sim::WorldResult result = sim::World(options, *machines).run();
  if (!result.failures.empty()) throw std::runtime_error(result.failures.front());
  auto& times = result.finality_ms;
  if (times.empty()) throw std::runtime_error("no transaction became final");
  std::sort(times.begin(), times.end());
  return static_cast<double>(times[times.size() / 2]);
}

}  // namespace

std::vector<Row> finality_rows() {
  // The simulated chain is local4 with other keys.
  const auto spec = genesis::preset("local4");
  const auto interval = static_cast<double>(spec->blocks.min_block_interval.value);
  std::vector<Row> rows;
  for (const std::uint64_t delay : {10, 50, 100}) {
    rows.push_back({.name = "finality at a one-way delay of " + std::to_string(delay) +
                            " ms, simulated, median",
                    .value = median_finality_ms(delay),
                    .unit = "ms",
                    .limit = 3 * static_cast<double>(delay) + interval / 2,
                    .limit_text = "3 delays + half the block interval",
                    .target = 1.15,
                    .less_is_better = true});
  }
  return rows;
}

}  // namespace tally::bench
