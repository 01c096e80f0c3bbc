// tally-bench: prints rows of figures as JSON lines; tools/bench runs it and makes the table.
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "tools/benchmarks/attack.hpp"
#include "tools/benchmarks/measure.hpp"

namespace tally::bench {
namespace {

std::vector<Row> limit_rows() {
  return {
      {.name = "BLAKE2b-256 of 64 bytes, one thread", .value = hashes_per_second(), .unit = "/s"},
      {.name = "ECDSA check (recover), one thread", .value = checks_per_second(), .unit = "/s"},
      {.name = "ECDSA sign, one thread", .value = signs_per_second(), .unit = "/s"},
      {.name = "ECDSA check, all cores", .value = checks_per_second_all_cores(), .unit = "/s"}};
}

const std::map<std::string, std::function<std::vector<Row>()>>& groups() {
  static const std::map<std::string, std::function<std::vector<Row>()>> all{
      {"limits", limit_rows},    {"tree", tree_rows},   {"execution", execution_rows},
      {"channel", channel_rows}, {"task", task_rows},   {"finality", finality_rows},
      {"network", network_rows}, {"delay", delay_rows}, {"floods", flood_rows},
      {"sync", sync_rows},
  };
  return all;
}

nlohmann::json to_json(const Row& row) {
  nlohmann::json out{{"name", row.name}, {"value", row.value}, {"unit", row.unit}};
  out["limit"] = row.limit > 0 ? nlohmann::json(row.limit) : nlohmann::json();
  out["limit_text"] = row.limit_text;
  out["ratio"] = row.limit > 0 ? nlohmann::json(row.value / row.limit) : nlohmann::json();
  out["target"] = row.target > 0 ? nlohmann::json(row.target) : nlohmann::json();
  out["less_is_better"] = row.less_is_better;
  return out;
}

bool full = false;

}  // namespace

bool full_size() {
  return full;
}

void take_full_size() {
  full = true;
}

}  // namespace tally::bench

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--attack") {
    return tally::bench::run_attack({argv + 2, argv + argc});
  }
  const auto& groups = tally::bench::groups();
  const bool full = argc == 3 && argv[2] == std::string_view("--full");
  const std::string wanted = argc == 2 || full ? argv[1] : "";
  if (wanted == "--list") {
    for (const auto& [name, run] : groups) std::cout << name << '\n';
    return 0;
  }
  const auto found = groups.find(wanted);
  if (found == groups.end()) {
    std::cerr << "usage: tally-bench GROUP [--full], where GROUP is one of:";
    for (const auto& [name, run] : groups) std::cerr << ' ' << name;
    std::cerr << '\n';
    return 2;
  }
  if (full) tally::bench::take_full_size();
  try {
    for (const auto& row : found->second()) std::cout << tally::bench::to_json(row).dump() << '\n';
  } catch (const std::exception& error) {  // after the processes that were started have been ended
    std::cerr << "tally-bench: " << error.what() << '\n';
    return 1;
  }
}
