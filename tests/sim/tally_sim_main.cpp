// tally-sim: runs the whole-node simulator over a range of seeds.
//
//   tally-sim --seeds 1..1000      one line a failure and a summary; exit status 1 on a failure
//   tally-sim --seeds 42 --trace   what happened in one world
//   tally-sim --bias 20000         how far withheld blocks bend a draw, as a table for the docs
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "node/consensus/planted.hpp"
#include "tests/sim/bias.hpp"
#include "tests/sim/world.hpp"

namespace tally::sim {
namespace {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  unsigned threads = 0;
  std::size_t validators = 4;
  std::uint32_t epoch_length = 60;
  std::string machine = "real";
  std::string sets = "mixed";
  std::string absence = "judged";
  std::string adversary;
  std::string fault;
  std::size_t bias = 0;  // draws
  bool trace = false;
  bool json = false;
};

AdversaryKind adversary_of(const Options& options, std::uint64_t seed) {
  for (std::size_t i = 0; i < kAdversaryKinds; ++i) {
    if (name_of(static_cast<AdversaryKind>(i)) == options.adversary) {
      return static_cast<AdversaryKind>(i);
    }
  }
  return static_cast<AdversaryKind>(seed % kAdversaryKinds);
}

// Every other row of adversaries in a world whose validators change.
bool sets_change(const Options& options, std::uint64_t seed) {
  if (options.sets != "mixed") return options.sets == "changing";
  return seed / kAdversaryKinds % 2 == 1;
}

void let_sets_change(WorldOptions& world) {
  Random random(world.seed, "world");
  world.setup.epoch_length = static_cast<std::uint32_t>(random.between(6, 20));
  world.setup.candidates = random.between(3, 5);
  world.setup.observers = 1;
  world.setup.sets = draw_sets(world.setup, 100, world.seed);
  world.edge_faults = true;
  if (random.chance(300)) world.newcomer_ms = random.between(5'000, 25'000);
}

// Absence is judged where nobody lies: below a third of a set is all that may be faulty, and a set
// that shrinks because others are away would come to have more of the one that is.
void let_absence_count(const Options& options, WorldOptions& world) {
  if (options.absence == "free" || options.machine != "real") return;
  if (world.adversary != AdversaryKind::none && world.adversary != AdversaryKind::silent_leader) {
    return;
  }
  Random random(world.seed, "absence");
  world.setup.validators = std::max<std::size_t>(world.setup.validators, 7);
  world.setup.downtime_views_min = 3;
  if (world.setup.candidates == 0) {
    world.setup.epoch_length = static_cast<std::uint32_t>(random.between(20, 40));
  }
}

WorldResult run_seed(const Options& options, std::uint64_t seed) {
  WorldOptions world;
  world.seed = seed;
  world.setup.validators = options.validators;
  world.setup.epoch_length = options.epoch_length;
  if (sets_change(options, seed)) let_sets_change(world);
  world.adversary = adversary_of(options, seed);
  let_absence_count(options, world);
  if (options.trace) world.trace = &std::cout;
  const auto factory =
      options.machine == "toy" ? toy_machines(world.setup) : real_machines(world.setup);
  return World(world, *factory).run();
}

std::string replay(const Options& options, std::uint64_t seed) {
  std::string out = "tally-sim --seeds " + std::to_string(seed) + " --trace";
  if (options.machine != "real") out += " --machine " + options.machine;
  if (options.sets != "mixed") out += " --sets " + options.sets;
  if (options.absence != "judged") out += " --absence " + options.absence;
  if (options.validators != 4) out += " --validators " + std::to_string(options.validators);
  if (options.epoch_length != 60) out += " --epoch " + std::to_string(options.epoch_length);
  if (!options.adversary.empty()) out += " --adversary \"" + options.adversary + "\"";
  if (!options.fault.empty()) out += " --fault " + options.fault;
  return out;
}

struct Totals {
  std::uint64_t failed = 0;
  std::uint64_t blocks = 0;
  std::uint64_t transactions = 0;
  std::uint64_t epochs = 0;
  std::uint64_t set_changes = 0;
  std::uint64_t evidence = 0;
  std::uint64_t convicted = 0;
  std::uint64_t disputes = 0;
  std::uint64_t absences = 0;
};

void report(const Options& options, std::uint64_t seed, const WorldResult& result) {
  if (options.json) {
    std::cout << nlohmann::json{{"seed", seed},
                                {"failures", result.failures},
                                {"trace_hash", result.trace_hash},
                                {"height", result.height},
                                {"transactions", result.transactions},
                                {"epochs", result.epochs},
                                {"set_changes", result.set_changes},
                                {"adversary", name_of(adversary_of(options, seed))},
                                {"replay", replay(options, seed)}}
                     .dump()
              << "\n";
  } else if (!result.failures.empty()) {
    std::cout << "seed " << seed << " (" << name_of(adversary_of(options, seed))
              << "): " << result.failures.front() << "; replay: " << replay(options, seed) << "\n";
  } else if (options.first == options.last) {
    std::cout << "seed " << seed << ": height " << result.height << ", trace hash "
              << result.trace_hash << "\n";
  }
  std::cout.flush();
}

// A line on the standard error that writes over itself, for a person at a terminal.
class Progress {
 public:
  explicit Progress(const Options& options)
      : worlds_(options.last - options.first + 1),
        shown_(worlds_ > 1 && !options.trace && isatty(STDERR_FILENO) == 1) {}

  void show(std::uint64_t done, std::uint64_t failed) const {
    if (!shown_) return;
    std::fprintf(stderr, "%lu of %lu worlds, %lu failed", done, worlds_, failed);
    std::fflush(stderr);
  }
  void clear() const {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

 private:
  std::uint64_t worlds_;
  bool shown_;
};

int run(const Options& options) {
  std::atomic<std::uint64_t> next = options.first;
  std::mutex mutex;
  Totals totals;
  std::uint64_t done = 0;
  const Progress progress(options);
  const auto worker = [&] {
    for (std::uint64_t seed = next++; seed <= options.last; seed = next++) {
      const WorldResult result = run_seed(options, seed);
      const std::lock_guard lock(mutex);
      totals.failed += result.failures.empty() ? 0 : 1;
      totals.blocks += result.height;
      totals.transactions += result.transactions;
      totals.epochs += result.epochs;
      totals.set_changes += result.set_changes;
      totals.evidence += result.evidence;
      totals.disputes += result.disputes;
      totals.absences += result.absences;
      totals.convicted += result.convicted ? 1 : 0;
      progress.clear();
      report(options, seed, result);
      progress.show(++done, totals.failed);
    }
  };
  const auto begun = std::chrono::steady_clock::now();
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  const unsigned count = options.trace ? 1 : (options.threads != 0 ? options.threads : cores);
  for (unsigned i = 0; i < count; ++i) threads.emplace_back(worker);
  for (std::thread& thread : threads) thread.join();
  progress.clear();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  const std::uint64_t worlds = options.last - options.first + 1;
  if (!options.json) {
    std::printf(
        "%lu worlds, %lu failed; %lu blocks, %lu transactions, %lu epochs, %lu set changes, "
        "%lu pieces of evidence, %lu convicted on chain, %lu put out for absence, %lu disputes "
        "ended; %.1f s, %.3f s a world and thread\n",
        worlds, totals.failed, totals.blocks, totals.transactions, totals.epochs,
        totals.set_changes, totals.evidence, totals.convicted, totals.absences, totals.disputes,
        took.count(), took.count() * count / static_cast<double>(worlds));
  }
  return totals.failed == 0 ? 0 : 1;
}

int print_bias(std::size_t draws) {
  std::printf(
      "| n | f | p | measured | formula | bits measured | s/(1-s) | blocks given up |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (const double probability : {0.5, 0.1, 0.01}) {
    for (const auto& [validators, faulty] :
         {std::pair(4, 1), {7, 1}, {7, 2}, {10, 1}, {10, 2}, {10, 3}, {31, 5}, {31, 10}}) {
      const auto n = static_cast<std::size_t>(validators);
      const auto f = static_cast<std::size_t>(faulty);
      const Bias bias = measure_bias({n, f, probability}, draws, 1);
      std::printf("| %zu | %zu | %.2f | %.4f | %.4f | %.3f | %.3f | %.3f |\n", n, f, probability,
                  bias.won, bias.won_formula, bias.bits, bias.bits_formula, bias.withheld);
    }
  }
  return 0;
}

#ifdef TALLY_PLANTED_FAULTS
bool plant(const std::string& name) {
  using consensus::Fault;
  const std::pair<const char*, Fault> faults[] = {
      {"none", Fault::none},
      {"skip-nullifications", Fault::skip_nullifications},
      {"certify-without-notarization", Fault::certify_without_notarization},
      {"forget-own-votes", Fault::forget_own_votes},
      {"nullify-then-finalize", Fault::nullify_then_finalize},
      {"partial-extrinsic", Fault::partial_extrinsic},
      {"commit-filler", Fault::commit_filler},
      {"next-epochs-set", Fault::next_epochs_set},
      {"old-epoch-proof", Fault::old_epoch_proof},
  };
  for (const auto& [known, fault] : faults) {
    if (name != known) continue;
    consensus::planted_fault = fault;
    return true;
  }
  return false;
}
#endif

}  // namespace
}  // namespace tally::sim

int main(int argc, char** argv) {
  tally::sim::Options options;
  std::string seeds = "1..100";
  CLI::App app{"Whole nodes in virtual time, with faults; one seed is one world."};
  app.add_option("--seeds", seeds, "one seed, or first..last")->capture_default_str();
  app.add_option("--threads", options.threads, "0: one a core");
  app.add_option("--validators", options.validators, "how many in a world")->capture_default_str();
  app.add_option("--epoch", options.epoch_length, "blocks of an epoch")->capture_default_str();
  app.add_option("--machine", options.machine, "what the chain runs: the real runtime, or a toy")
      ->check(CLI::IsMember({"real", "toy"}))
      ->capture_default_str();
  app.add_option("--sets", options.sets, "whether validators change from epoch to epoch")
      ->check(CLI::IsMember({"fixed", "changing", "mixed"}))
      ->capture_default_str();
  app.add_option("--absence", options.absence,
                 "whether who is away is put out, in worlds without a liar")
      ->check(CLI::IsMember({"judged", "free"}))
      ->capture_default_str();
  app.add_option("--adversary", options.adversary, "the same one in every world");
  app.add_option("--bias", options.bias, "measure so many draws against withholding leaders");
  app.add_flag("--trace", options.trace, "every event, on standard output");
  app.add_flag("--json", options.json, "one JSON object a world");
#ifdef TALLY_PLANTED_FAULTS
  app.add_option("--fault", options.fault, "a fault to plant")->required();
#endif
  CLI11_PARSE(app, argc, argv);
  if (options.bias > 0) return tally::sim::print_bias(options.bias);
  try {
    const auto dots = seeds.find("..");
    options.first = std::stoull(seeds.substr(0, dots));
    options.last = dots == std::string::npos ? options.first : std::stoull(seeds.substr(dots + 2));
  } catch (const std::exception&) {
    std::fprintf(stderr, "--seeds takes a number or first..last, got '%s'\n", seeds.c_str());
    return 2;
  }
#ifdef TALLY_PLANTED_FAULTS
  if (!tally::sim::plant(options.fault)) {
    std::fprintf(stderr, "there is no planted fault '%s'\n", options.fault.c_str());
    return 2;
  }
#endif
  return tally::sim::run(options);
}
