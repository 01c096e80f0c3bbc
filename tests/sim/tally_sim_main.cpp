// tally-sim: runs the whole-node simulator over a range of seeds.
//
//   tally-sim --seeds 1..1000      one line a failure and a summary; exit status 1 on a failure
//   tally-sim --seeds 42 --trace   what happened in one world
//   tally-sim --twins 3            two copies of one validator under every schedule of partitions
//   tally-sim --restores 6         one validator's data folder is put back to older copies
//   tally-sim --newcomers          a new node takes a state from peers of which most lie
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

constexpr std::size_t kTwinsCounted = 3;  // longer schedules are too many

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  unsigned threads = 0;
  std::size_t validators = 4;
  std::uint32_t epoch_length = 60;
  std::string machine = "mixed";
  std::string sets = "mixed";
  std::string absence = "judged";
  std::string adversary;
  std::string fault;
  std::size_t bias = 0;   // draws
  std::size_t twins = 0;  // stretches of a schedule
  std::size_t restores = 0;
  bool newcomers = false;
  std::uint64_t duration_s = 60;
  bool coverage = false;
  bool trace = false;
  bool json = false;
};

AdversaryKind adversary_of(const Options& options, std::uint64_t seed) {
  if (options.twins > 0) return AdversaryKind::twins;
  for (std::size_t i = 0; i < kAdversaryKinds; ++i) {
    if (name_of(static_cast<AdversaryKind>(i)) == options.adversary) {
      return static_cast<AdversaryKind>(i);
    }
  }
  return static_cast<AdversaryKind>(seed % kAdversaryKinds);
}

// Consensus is the same above a toy, which costs a tenth. Each adversary meets both.
bool is_real(const Options& options, std::uint64_t seed) {
  return options.machine == "mixed" ? seed % 7 == 0 : options.machine == "real";
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
  if (options.absence == "free" || !is_real(options, world.seed)) return;
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

// Five nodes, of which two share a key: the schedule says in each stretch of time who can talk to
// whom. A number below 4 · 16^stretches names a validator that is doubled and a schedule; the
// others are drawn.
WorldOptions twins_world(const Options& options, std::uint64_t number) {
  WorldOptions world;
  world.seed = number;
  world.faults = false;
  world.adversary = AdversaryKind::twins;
  world.faults_until_ms = kPartitionMs * options.twins;
  world.duration_ms = world.faults_until_ms + 18'000;
  Random drawn(number, "twins");
  std::uint64_t rest = number;
  for (std::size_t i = 0; i < options.twins; ++i) {
    const std::uint64_t split = options.twins <= kTwinsCounted ? rest % 16 : drawn.below(16);
    rest /= 16;
    std::vector<std::size_t> side{0};  // which side is called which does not matter
    for (std::size_t node = 1; node < 5; ++node) side.push_back(split >> (node - 1) & 1);
    world.partitions.push_back(std::move(side));
  }
  world.faulty = options.twins <= kTwinsCounted ? rest % 4 : drawn.below(4);
  return world;
}

// A well network, in which one validator crashes again and again and finds its whole data folder
// as it was some moments or an epoch ago. In a third of the worlds another validator is away
// meanwhile, so that nothing becomes final without the one that forgot; in a third two are, so
// that one peer alone knows what it has said.
WorldOptions restores_world(const Options& options, std::uint64_t seed) {
  constexpr std::uint64_t kEachMs = 8'000;
  Random random(seed, "restores");
  WorldOptions world;
  world.seed = seed;
  world.faults = false;
  world.setup.epoch_length = static_cast<std::uint32_t>(random.between(8, 60));
  world.faulty = 0;
  const std::uint64_t away = random.below(3);
  for (std::size_t i = 0; i < options.restores; ++i) {
    WorldOptions::Restore one;
    one.copy_ms = kEachMs * i + random.between(500, 3'000);
    const bool old = random.chance(200);
    one.restore_ms = one.copy_ms + (old ? random.between(500, 3'000) : random.between(1, 300));
    one.down_ms = random.between(30, 1'000);
    for (std::size_t node = 4 - away; node < 4; ++node) {
      world.down.push_back({node, one.copy_ms - random.between(1, 400),
                            one.restore_ms + random.between(500, 2'500)});
    }
    world.restores.push_back(one);
  }
  world.faults_until_ms = kEachMs * options.restores;
  world.duration_ms = world.faults_until_ms + 30'000;
  return world;
}

// Two observers, of which the last is new, and three nodes that serve it badly.
WorldOptions newcomers_world(std::uint64_t seed) {
  WorldOptions world;
  world.seed = seed;
  world.setup.snapshots = true;
  world.setup.observers = 2;
  world.setup.epoch_length = 20;
  world.faults = false;
  world.newcomer_ms = 25'000;
  world.newcomer_crashes = seed % 3 * 4;
  world.lying_servers = {0, 1, 4};
  world.faults_until_ms = 40'000;
  world.duration_ms = 60'000;
  return world;
}

WorldResult run_seed(const Options& options, std::uint64_t seed) {
  WorldOptions world;
  if (options.twins > 0) {
    world = twins_world(options, seed);
    if (options.trace) world.trace = &std::cout;
    return World(world, *toy_machines(world.setup)).run();
  }
  if (options.restores > 0) {
    world = restores_world(options, seed);
    if (options.trace) world.trace = &std::cout;
    return World(world, *toy_machines(world.setup)).run();
  }
  if (options.newcomers) {
    world = newcomers_world(seed);
    if (options.trace) world.trace = &std::cout;
    return World(world, *real_machines(world.setup)).run();
  }
  world.seed = seed;
  world.duration_ms = options.duration_s * 1'000;
  world.faults_until_ms = world.duration_ms / 2;
  world.setup.validators = options.validators;
  world.setup.epoch_length = options.epoch_length;
  if (sets_change(options, seed)) let_sets_change(world);
  world.adversary = adversary_of(options, seed);
  let_absence_count(options, world);
  if (options.trace) world.trace = &std::cout;
  const auto factory =
      is_real(options, seed) ? real_machines(world.setup) : toy_machines(world.setup);
  return World(world, *factory).run();
}

std::string replay(const Options& options, std::uint64_t seed) {
  std::string out = "tally-sim --seeds " + std::to_string(seed) + " --trace";
  if (options.twins > 0) out += " --twins " + std::to_string(options.twins);
  if (options.restores > 0) out += " --restores " + std::to_string(options.restores);
  if (options.newcomers) out += " --newcomers";
  if (options.duration_s != 60) out += " --duration " + std::to_string(options.duration_s);
  if (options.machine != "mixed") out += " --machine " + options.machine;
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
  std::uint64_t mortal = 0;
  std::uint64_t epochs = 0;
  std::uint64_t set_changes = 0;
  std::uint64_t evidence = 0;
  std::uint64_t convicted = 0;
  std::uint64_t disputes = 0;
  std::uint64_t absences = 0;
  std::uint64_t restores = 0;
  std::uint64_t snapshots = 0;
  consensus::Marks marks{};   // how often
  consensus::Marks worlds{};  // in how many worlds
};

// Which rare paths were gone through; the number of those that were not.
std::size_t print_coverage(const Totals& totals) {
  std::size_t missed = 0;
  for (std::size_t i = 0; i < consensus::kMarks; ++i) {
    const bool hit = totals.marks[i] > 0;
    missed += hit ? 0 : 1;
    std::printf("%-45s %10lu in %lu worlds%s\n", std::string(consensus::kMarkNames[i]).c_str(),
                totals.marks[i], totals.worlds[i], hit ? "" : "  MISSED");
  }
  std::printf("%zu of %zu rare paths were gone through\n", consensus::kMarks - missed,
              consensus::kMarks);
  return missed;
}

void report(const Options& options, std::uint64_t seed, const WorldResult& result) {
  if (options.json) {
    std::cout << nlohmann::json{{"seed", seed},
                                {"failures", result.failures},
                                {"trace_hash", result.trace_hash},
                                {"height", result.height},
                                {"transactions", result.transactions},
                                {"mortal", result.mortal},
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
      totals.mortal += result.mortal;
      totals.epochs += result.epochs;
      totals.set_changes += result.set_changes;
      totals.evidence += result.evidence;
      totals.disputes += result.disputes;
      totals.absences += result.absences;
      totals.restores += result.restores;
      totals.snapshots += result.snapshots;
      totals.convicted += result.convicted ? 1 : 0;
      for (std::size_t i = 0; i < consensus::kMarks; ++i) {
        totals.marks[i] += result.marks[i];
        totals.worlds[i] += result.marks[i] > 0 ? 1 : 0;
      }
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
        "%lu worlds, %lu failed; %lu blocks, %lu transactions, %lu of them mortal, %lu epochs, "
        "%lu set changes, "
        "%lu pieces of evidence, %lu convicted on chain, %lu put out for absence, %lu disputes "
        "ended, %lu folders restored, %lu states taken; %.1f s, %.3f s a world and thread\n",
        worlds, totals.failed, totals.blocks, totals.transactions, totals.mortal, totals.epochs,
        totals.set_changes, totals.evidence, totals.convicted, totals.absences, totals.disputes,
        totals.restores, totals.snapshots, took.count(),
        took.count() * count / static_cast<double>(worlds));
  }
  const bool missed = options.coverage && print_coverage(totals) > 0;
  return totals.failed == 0 && !missed ? 0 : 1;
}

std::string twins_all(std::size_t stretches) {
  if (stretches > kTwinsCounted) return "1..1000";
  return "0.." + std::to_string((std::uint64_t{4} << 4 * stretches) - 1);
}

// Printed, so that what they find can be run again.
std::string fresh_seeds(std::uint64_t count) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto first = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  const std::string seeds = std::to_string(first) + ".." + std::to_string(first + count - 1);
  std::cout << "seeds " << seeds << std::endl;
  return seeds;
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

}  // namespace
}  // namespace tally::sim

int main(int argc, char** argv) {
  tally::sim::Options options;
  std::string seeds;
  std::uint64_t fresh = 0;
  CLI::App app{"Whole nodes in virtual time, with faults; one seed is one world."};
  app.add_option("--seeds", seeds, "one seed, or first..last; 1..100 if it is left out");
  app.add_option("--threads", options.threads, "0: one a core");
  app.add_option("--validators", options.validators, "how many in a world")->capture_default_str();
  app.add_option("--epoch", options.epoch_length, "blocks of an epoch")->capture_default_str();
  app.add_option("--duration", options.duration_s, "virtual seconds of a world")
      ->check(CLI::Range(20, 3'600))
      ->capture_default_str();
  app.add_option("--machine", options.machine,
                 "what the chain runs: the real runtime, a toy, or the real one in each 7th world")
      ->check(CLI::IsMember({"real", "toy", "mixed"}))
      ->capture_default_str();
  app.add_option("--sets", options.sets, "whether validators change from epoch to epoch")
      ->check(CLI::IsMember({"fixed", "changing", "mixed"}))
      ->capture_default_str();
  app.add_option("--absence", options.absence,
                 "whether who is away is put out, in worlds without a liar")
      ->check(CLI::IsMember({"judged", "free"}))
      ->capture_default_str();
  app.add_option("--adversary", options.adversary, "the same one in every world");
  auto* twins = app.add_option("--twins", options.twins,
                               "twins under partitions in so many stretches of 700 ms: all "
                               "schedules for up to 3, drawn ones beyond");
  app.add_option("--restores", options.restores,
                 "worlds in which a validator's data folder is put back so often to an older copy")
      ->check(CLI::Range(1, 100));
  app.add_flag("--newcomers", options.newcomers,
               "worlds in which a new node takes a state from peers of which most lie");
  app.add_option("--fresh", fresh, "run so many seeds that depend on the time of day instead");
  app.add_option("--bias", options.bias, "measure so many draws against withholding leaders");
  app.add_flag("--trace", options.trace, "every event, on standard output");
  app.add_flag("--json", options.json, "one JSON object a world");
#ifdef TALLY_PLANTED_FAULTS
  app.add_option("--fault", options.fault, "a fault to plant")->required();
  app.add_flag("--coverage", options.coverage,
               "which rare paths were gone through; fails if one was not");
#endif
  CLI11_PARSE(app, argc, argv);
  if (options.bias > 0) return tally::sim::print_bias(options.bias);
  if (seeds.empty()) seeds = twins->count() > 0 ? tally::sim::twins_all(options.twins) : "1..100";
  if (fresh > 0) seeds = tally::sim::fresh_seeds(fresh);
  try {
    const auto dots = seeds.find("..");
    options.first = std::stoull(seeds.substr(0, dots));
    options.last = dots == std::string::npos ? options.first : std::stoull(seeds.substr(dots + 2));
  } catch (const std::exception&) {
    std::fprintf(stderr, "--seeds takes a number or first..last, got '%s'\n", seeds.c_str());
    return 2;
  }
#ifdef TALLY_PLANTED_FAULTS
  if (!tally::consensus::plant(options.fault)) {
    std::fprintf(stderr, "there is no planted fault '%s'\n", options.fault.c_str());
    return 2;
  }
#endif
  return tally::sim::run(options);
}
