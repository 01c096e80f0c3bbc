// Honest finality while a hostile process floods all four validators, beside finality a moment
// before. The attacker runs on the same cores as the nodes it attacks, so part of what is lost is
// the processor's time that it takes, which no limit of the nodes can give back; `spin` shows how
// much: as many threads that only burn time.
#include <csignal>
#include <iostream>
#include <thread>

#include "tools/benchmarks/attack.hpp"
#include "tools/benchmarks/measure.hpp"
#include "tools/benchmarks/nodes.hpp"
#include "tools/benchmarks/transfers.hpp"

namespace tally::bench {
namespace {

constexpr std::uint32_t kFirstSender = 9'000;
constexpr std::size_t kTransfers = 25;
constexpr auto kSettle = std::chrono::seconds(3);
constexpr std::chrono::seconds kPatience{60};
constexpr auto kPause = std::chrono::milliseconds(120);

// Light load: one transfer after another, at each node in turn.
double finality_ms(Nodes& nodes, const Transfers& transfers, std::uint32_t& sender) {
  std::vector<double> times;
  for (std::size_t i = 0; i < kTransfers; ++i) {
    const std::string extrinsic = transfers.sign({sender++, 0});
    times.push_back(lone_finality_ms(nodes.author(i % kNodes), extrinsic));
    std::this_thread::sleep_for(kPause);
  }
  return median(std::move(times));
}

double most_memory(const Nodes& nodes) {
  double out = 0;
  for (std::size_t i = 0; i < kNodes; ++i) out = std::max(out, nodes.memory(i));
  return out;
}

std::vector<std::string> attack_command(const Nodes& nodes, const std::string& kind) {
  std::vector<std::string> out{std::string(TALLY_BINARY_DIR) + "/tests/tally-bench", "--attack",
                               kind};
  for (std::size_t i = 0; i < kNodes; ++i) {
    out.push_back(std::to_string(nodes.peer_port(i)));
    out.push_back(std::to_string(nodes.rpc_port(i)));
  }
  return out;
}

}  // namespace

std::vector<Row> flood_rows() {
  const Transfers transfers;
  std::vector<Row> rows;
  const tests::TempFolder folder;
  for (const auto& [kind, attack] : attacks()) {
    Nodes nodes;
    std::uint32_t sender = kFirstSender;
    std::this_thread::sleep_for(kSettle);
    const double before = finality_ms(nodes, transfers, sender);
    const double memory = most_memory(nodes);
    tests::Process hostile(attack_command(nodes, kind), folder.path() / (kind + ".log"));
    const auto attacking = [&] { return hostile.log().find("attacking") != std::string::npos; };
    if (!tests::eventually(kPatience, attacking)) {
      throw std::runtime_error("the attack did not begin: " + hostile.log());
    }
    std::this_thread::sleep_for(kSettle);
    const double under = finality_ms(nodes, transfers, sender);
    const double grown = most_memory(nodes) - memory;
    if (!hostile.running()) {
      throw std::runtime_error("the attack has ended by itself: " + hostile.log());
    }
    hostile.signal(SIGKILL);
    hostile.wait(std::chrono::seconds(10));
    rows.push_back({.name = "finality of a lone transfer under a flood: " + kind,
                    .value = under,
                    .unit = "ms",
                    .limit = before,
                    .limit_text = "the same without it, a moment before",
                    .target = 2,
                    .less_is_better = true});
    rows.push_back({.name = "memory that a node gained under it", .value = grown, .unit = "MiB"});
  }
  return rows;
}

}  // namespace tally::bench
