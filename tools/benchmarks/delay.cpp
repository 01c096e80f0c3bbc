// Finality between real nodes whose frames take a given time one way, through the relay of
// tests/support: of lone transfers on a chain that is idle, and of transfers that come so often
// that the chain is not. Each is handed to one node, in turn, and watched there.
#include <atomic>
#include <mutex>
#include <thread>

#include "genesis/chain_spec.hpp"
#include "tools/benchmarks/measure.hpp"
#include "tools/benchmarks/nodes.hpp"
#include "tools/benchmarks/transfers.hpp"

namespace tally::bench {
namespace {

constexpr std::uint32_t kFirstSender = 8'000;
constexpr std::uint32_t kTransfers = 40;
constexpr auto kSettle = std::chrono::seconds(3);
constexpr auto kIdlePause = std::chrono::milliseconds(700);   // longer than any finality
constexpr auto kSteadyPause = std::chrono::milliseconds(70);  // shorter than any block interval

struct Finality {
  double idle_ms{};
  double steady_ms{};
  double interval_ms{};  // between blocks under the steady load
};

double idle_median(Nodes& nodes, const Transfers& transfers) {
  std::vector<double> times;
  for (std::uint32_t i = 0; i < kTransfers; ++i) {
    times.push_back(
        lone_finality_ms(nodes.author(i % kNodes), transfers.sign({kFirstSender + i, 0})));
    std::this_thread::sleep_for(kIdlePause);
  }
  return median(std::move(times));
}

double steady_median(Nodes& nodes, const Transfers& transfers, double& interval_ms) {
  constexpr std::uint32_t kCount = 3 * kTransfers;
  std::vector<double> times(kCount);
  std::vector<std::jthread> watching;
  const std::uint32_t first = nodes.final_height(0);
  const auto began = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const std::string extrinsic = transfers.sign({kFirstSender + kTransfers + i, 0});
    watching.emplace_back([&nodes, &times, i, extrinsic] {
      times[i] = lone_finality_ms(nodes.author(i % kNodes), extrinsic);
    });
    std::this_thread::sleep_for(kSteadyPause);
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  interval_ms = took.count() / (nodes.final_height(0) - first);
  watching.clear();
  return median(std::move(times));
}

Finality measure(std::uint32_t delay_ms, const Transfers& transfers) {
  Nodes nodes(delay_ms);
  std::this_thread::sleep_for(kSettle);
  Finality out;
  out.idle_ms = idle_median(nodes, transfers);
  out.steady_ms = steady_median(nodes, transfers, out.interval_ms);
  return out;
}

}  // namespace

std::vector<Row> delay_rows() {
  const Transfers transfers;
  const auto spec = genesis::preset("bench");
  const auto interval = static_cast<double>(spec->blocks.min_block_interval.value);
  std::vector<Row> rows;
  for (const std::uint32_t delay : {10u, 50u, 100u}) {
    const Finality finality = measure(delay, transfers);
    const std::string at = "one-way delay of " + std::to_string(delay) + " ms, real: ";
    rows.push_back({.name = at + "finality of a lone transfer, median",
                    .value = finality.idle_ms,
                    .unit = "ms",
                    .limit = 3.0 * delay + interval / 2,
                    .limit_text = "3 delays + half the shortest block interval",
                    .target = 1.15,
                    .less_is_better = true});
    rows.push_back({.name = at + "finality under steady light load, median",
                    .value = finality.steady_ms,
                    .unit = "ms",
                    .limit = 3.0 * delay + (2.0 * delay + interval) / 2,
                    .limit_text = "3 delays + half of (2 delays + the shortest block interval)",
                    .target = 1.15,
                    .less_is_better = true});
    rows.push_back({.name = at + "block interval under that load",
                    .value = finality.interval_ms,
                    .unit = "ms",
                    .limit = 2.0 * delay + interval,
                    .limit_text = "2 delays + the shortest block interval",
                    .less_is_better = true});
  }
  return rows;
}

}  // namespace tally::bench
