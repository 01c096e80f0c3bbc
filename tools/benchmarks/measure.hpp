// How a figure is taken: the work is repeated for at least a given time and the rate reported, next
// to a limit that the same program measured a moment before. A row is what tools/bench prints.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tally::bench {

struct Row {
  std::string name;
  double value{};
  std::string unit;
  double limit{};            // 0: there is no physical limit to hold it against
  std::string limit_text{};  // what the limit is
  double target{};           // of the ratio value / limit, or of the value where there is no limit
  bool less_is_better{};
};

// Calls per second of `work`, which does `calls_per_run` of them; runs for at least `seconds`.
inline double rate(double seconds, std::uint64_t calls_per_run, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::uint64_t runs = 0;
  double elapsed = 0;
  do {
    work();
    ++runs;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  } while (elapsed < seconds);
  return static_cast<double>(runs * calls_per_run) / elapsed;
}

// The limits: BLAKE2b of 64 bytes, and secp256k1 checks and signatures, a second on one thread.
double hashes_per_second();
double checks_per_second();
double signs_per_second();
// Checks a second of all cores together.
double checks_per_second_all_cores();

// Whether the groups that have a full size beside a short one take it: `tally-bench GROUP --full`.
bool full_size();

// A group of rows each; `tally-bench GROUP` prints one.
std::vector<Row> tree_rows();
std::vector<Row> execution_rows();
std::vector<Row> channel_rows();
std::vector<Row> task_rows();
std::vector<Row> finality_rows();
std::vector<Row> network_rows();
std::vector<Row> delay_rows();
std::vector<Row> flood_rows();
std::vector<Row> sync_rows();

}  // namespace tally::bench
