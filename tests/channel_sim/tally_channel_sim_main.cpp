// tally-channel-sim: lives of channels over a range of seeds.
//
//   tally-channel-sim --seeds 1..1000      one line a failure and a summary; exit 1 on a failure
//   tally-channel-sim --seeds 42 --trace   what happened in one life
//   tally-channel-sim --seeds fresh --lives 100   seeds of nobody's choice, which it prints
//   tally-channel-sim --seeds 1..8 --coverage   which rare paths were taken how often
//
// A seed's shape follows from the seed unless it is named.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include <CLI/CLI.hpp>

#include "client-sdk/channel/planted.hpp"
#include "modules/channels/planted.hpp"
#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {
namespace {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  unsigned threads = 0;
  std::string shape;
  std::string fault;
  bool trace = false;
  bool coverage = false;
  bool stop = false;
};

thread_local std::uint64_t running_seed = 0;

// An assertion of what is being tested is a finding too.
extern "C" void on_abort(int) {
  std::printf("seed %lu: the program was aborted, see above; 1 failed\n", running_seed);
  std::fflush(stdout);
  _exit(1);
}

Shape shape_of(const Options& options, std::uint64_t seed) {
  for (std::size_t i = 0; i < kShapes; ++i) {
    if (kShapeNames[i] == options.shape) return static_cast<Shape>(i);
  }
  return static_cast<Shape>(seed % kShapes);
}

std::string replay(const Options& options, std::uint64_t seed) {
  std::string out = "--seeds " + std::to_string(seed) + " --trace";
  if (!options.shape.empty()) out += " --shape " + options.shape;
  if (!options.fault.empty()) out += " --fault " + options.fault;
  return out;
}

int run(const Options& options) {
  std::atomic<std::uint64_t> next = options.first;
  std::mutex mutex;
  Coverage coverage;
  std::uint64_t failed = 0, done = 0, blocks = 0, messages = 0, deaths = 0;
  const std::uint64_t lives = options.last - options.first + 1;
  const bool progress = lives > 1 && !options.trace && isatty(STDERR_FILENO) == 1;
  const auto worker = [&] {
    for (std::uint64_t seed = next++; seed <= options.last; seed = next++) {
      running_seed = seed;
      LifeOptions life;
      life.seed = seed;
      life.shape = shape_of(options, seed);
      life.module_invariants = options.fault.empty();
      if (options.trace) life.trace = &std::cout;
      const LifeResult result = run_life(life);
      const std::lock_guard lock(mutex);
      coverage.add(result.coverage);
      blocks += result.blocks;
      messages += result.messages;
      deaths += result.deaths;
      if (result.failure) {
        ++failed;
        std::cout << "seed " << seed << " (" << kShapeNames[static_cast<std::size_t>(life.shape)]
                  << "): " << *result.failure << "; again with " << replay(options, seed)
                  << std::endl;
        if (options.stop) next = options.last + 1;
      }
      if (++done % 64 == 0 && progress) {
        std::fprintf(stderr, "\r%lu of %lu lives, %lu failed", done, lives, failed);
      }
    }
  };
  const auto begun = std::chrono::steady_clock::now();
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  const unsigned count = options.trace ? 1 : (options.threads != 0 ? options.threads : cores);
  for (unsigned i = 0; i < count; ++i) threads.emplace_back(worker);
  for (std::thread& thread : threads) thread.join();
  if (progress) std::fputs("\r\033[K", stderr);
  if (options.coverage) {
    for (std::size_t i = 0; i < kMarkNames.size(); ++i) {
      std::printf("%10lu  %s\n", coverage.of(static_cast<Mark>(i)), kMarkNames[i].data());
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf("%lu lives, %lu failed; %lu blocks, %lu messages, %lu deaths; %.1f s\n", done, failed,
              blocks, messages, deaths, took.count());
  return failed == 0 ? 0 : 1;
}

#ifdef TALLY_PLANTED_FAULTS
bool plant(const std::string& name) {
  using Chain = channels::Fault;
  using Party = channel::Fault;
  const std::pair<const char*, Chain> on_chain[] = {
      {"none", Chain::none},
      {"any-sum", Chain::any_sum},
      {"below-floor", Chain::below_floor},
      {"plain-periods", Chain::plain_periods},
      {"deadline-stays", Chain::deadline_stays},
      {"honest-lag-is-fraud", Chain::honest_lag_is_fraud},
      {"fraud-overlooked", Chain::fraud_overlooked},
      {"late-splice", Chain::late_splice},
      {"pays-the-cheater", Chain::pays_the_cheater},
  };
  const std::pair<const char*, Party> in_a_party[] = {
      {"send-before-sync", Party::send_before_sync},
      {"journal-without-sync", Party::journal_without_sync},
      {"sign-after-claim", Party::sign_after_claim},
      {"stale-offer", Party::stale_offer},
      {"close-in-splice", Party::close_in_splice},
      {"restored-claims", Party::restored_claims},
      {"refute-with-floor", Party::refute_with_floor},
      {"balance-falls", Party::balance_falls},
      {"forget-splice", Party::forget_splice},
      {"tower-keeps-first", Party::tower_keeps_first},
      {"tower-forgets", Party::tower_forgets},
  };
  for (const auto& [known, fault] : on_chain) {
    if (name == known) return channels::planted_fault = fault, true;
  }
  for (const auto& [known, fault] : in_a_party) {
    if (name == known) return channel::planted_fault = fault, true;
  }
  return false;
}
#endif

}  // namespace
}  // namespace tally::channel_sim

int main(int argc, char** argv) {
  using namespace tally::channel_sim;
  Options options;
  std::string seeds = "1..100";
  std::uint64_t lives = 100;
  CLI::App app{"Channels in virtual time, with faults and cheating peers; one seed is one life."};
  app.add_option("--seeds", seeds, "one seed, first..last, or fresh")->capture_default_str();
  app.add_option("--lives", lives, "how many fresh seeds")->capture_default_str();
  app.add_option("--threads", options.threads, "0: one a core");
  app.add_option("--shape", options.shape, "the same one in every life")
      ->check(CLI::IsMember(std::vector<std::string>(kShapeNames.begin(), kShapeNames.end())));
  app.add_flag("--trace", options.trace, "what happened, on standard output");
  app.add_flag("--coverage", options.coverage, "how often each rare path was taken");
  app.add_flag("--stop", options.stop, "at the first failure");
#ifdef TALLY_PLANTED_FAULTS
  app.add_option("--fault", options.fault, "a fault to plant")->required();
#endif
  CLI11_PARSE(app, argc, argv);
  try {
    if (seeds == "fresh") {
      const std::uint64_t first = std::random_device{}();
      seeds = std::to_string(first) + ".." + std::to_string(first + lives - 1);
      std::printf("fresh seeds %s\n", seeds.c_str());
    }
    const auto dots = seeds.find("..");
    options.first = std::stoull(seeds.substr(0, dots));
    options.last = dots == std::string::npos ? options.first : std::stoull(seeds.substr(dots + 2));
  } catch (const std::exception&) {
    std::fprintf(stderr, "--seeds takes a number, first..last or fresh, got '%s'\n", seeds.c_str());
    return 2;
  }
#ifdef TALLY_PLANTED_FAULTS
  if (!plant(options.fault)) {
    std::fprintf(stderr, "there is no planted fault '%s'\n", options.fault.c_str());
    return 2;
  }
#endif
  std::signal(SIGABRT, on_abort);
  return run(options);
}
