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
// Of worlds of many validators, whose frames grow with the square of their number.
constexpr std::uint64_t kFewRoundsMs = 20'000;
constexpr std::uint64_t kManyDelayMs = 50;
constexpr std::size_t kManyValidators = 31;  // more only at full size

sim::WorldOptions well(std::uint64_t delay_ms, std::uint64_t duration_ms) {
  sim::WorldOptions options;
  options.seed = 1;
  options.duration_ms = duration_ms;
  options.faults_until_ms = 0;
  options.faults = false;
  options.delay_ms = delay_ms;
  return options;
}

double median_finality_ms(const sim::WorldOptions& options, sim::MachineFactory& machines) {
  sim::WorldResult result = sim::World(options, machines).run();
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
  const auto row = [&](const std::string& where, std::uint64_t delay, double value) {
    rows.push_back({.name = "finality at " + where + ", simulated, median",
                    .value = value,
                    .unit = "ms",
                    .limit = 3 * static_cast<double>(delay) + interval / 2,
                    .limit_text = "3 delays + half the block interval",
                    .target = 1.15,
                    .less_is_better = true});
  };
  for (const std::uint64_t delay : {10, 50, 100}) {
    const sim::WorldOptions options = well(delay, kDurationMs);
    row("a one-way delay of " + std::to_string(delay) + " ms", delay,
        median_finality_ms(options, *sim::real_machines(options.setup)));
  }
  for (const std::size_t validators : {4, 16, 31, 64, 100}) {
    if (validators > kManyValidators && !full_size()) break;
    sim::WorldOptions options = well(kManyDelayMs, kFewRoundsMs);
    options.setup.validators = validators;
    // Consensus is the same above a toy of a chain.
    row(std::to_string(validators) + " validators, one-way delay of " +
            std::to_string(kManyDelayMs) + " ms",
        kManyDelayMs, median_finality_ms(options, *sim::toy_machines(options.setup)));
  }
  return rows;
}

}  // namespace tally::bench
