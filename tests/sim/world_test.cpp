#include "tests/sim/world.hpp"

#include <catch2/catch.hpp>

namespace tally::sim {
namespace {

WorldResult run(WorldOptions options, bool real = false) {
  const auto factory = real ? real_machines(options.setup) : toy_machines(options.setup);
  return World(options, *factory).run();
}

}  // namespace

TEST_CASE("sim: the same seed gives the same world, another one another") {
  for (const bool real : {false, true}) {
    WorldOptions options;
    options.seed = 7;
    options.adversary = AdversaryKind::twins;
    const WorldResult first = run(options, real);
    CHECK(first.failures.empty());
    CHECK(run(options, real).trace_hash == first.trace_hash);
    options.seed = 8;
    CHECK(run(options, real).trace_hash != first.trace_hash);
  }
}

TEST_CASE("sim: epochs roll under all faults, with every adversary") {
  for (std::size_t kind = 0; kind < kAdversaryKinds; ++kind) {
    WorldOptions options;
    options.seed = 100 + kind;
    options.setup.epoch_length = 7;
    options.adversary = static_cast<AdversaryKind>(kind);
    const WorldResult result = run(options);
    INFO(name_of(options.adversary));
    CHECK(result.failures == std::vector<std::string>{});
    CHECK(result.epochs > 5);
  }
}

TEST_CASE("sim: one validator alone makes blocks at the pace of its interval, not faster") {
  WorldOptions options;
  options.setup.validators = 1;
  options.faults = false;
  options.duration_ms = 20'000;
  options.faults_until_ms = 1'000;
  const WorldResult result = run(options);
  CHECK(result.failures == std::vector<std::string>{});
  CHECK(result.height > 20);
  CHECK(result.height <= 200);  // min_interval is 100 ms
}

TEST_CASE("sim: seven validators with two epochs' worth of faults") {
  WorldOptions options;
  options.seed = 5;
  options.setup.validators = 7;
  options.adversary = AdversaryKind::equivocator;
  const WorldResult result = run(options);
  CHECK(result.failures == std::vector<std::string>{});
  CHECK(result.evidence > 0);
}

TEST_CASE("sim: a new node takes the chain from its peers, over epochs, and joins in") {
  for (const bool real : {false, true}) {
    WorldOptions options;
    options.faults = false;
    options.setup.epoch_length = 40;
    options.newcomer_ms = 30'000;
    options.faults_until_ms = 31'000;
    options.duration_ms = 50'000;
    const WorldResult result = run(options, real);
    CHECK(result.failures == std::vector<std::string>{});
    CHECK(result.height > 100);
    CHECK(result.epochs > 2);
  }
}

// Each check that it rests on is shown to fail in node/core's and node/execution's own tests.
TEST_CASE("sim: a new node takes a state from peers of which most lie, through crashes") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.setup.snapshots = true;
    options.setup.observers = 2;
    options.setup.epoch_length = 20;
    options.faults = false;
    options.newcomer_ms = 25'000;
    options.newcomer_crashes = seed % 3 * 4;
    options.lying_servers = {0, 1, 4};
    options.faults_until_ms = 40'000;
    options.duration_ms = 60'000;
    const WorldResult result = run(options, true);
    INFO("seed " << seed);
    CHECK(result.failures == std::vector<std::string>{});
    CHECK(result.snapshots > 0);
  }
}

// Nodes 4 to 7 have keys, node 8 has none.
WorldOptions changing(std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.setup.epoch_length = 8;
  options.setup.candidates = 4;
  options.setup.observers = 1;
  options.setup.sets = draw_sets(options.setup, 100, seed);
  return options;
}

TEST_CASE("sim: sets grow, shrink and swap under all faults, by schedule and by bonds") {
  for (const bool real : {false, true}) {
    WorldOptions options = changing(17);
    options.edge_faults = true;
    const WorldResult result = run(options, real);
    CHECK(result.failures == std::vector<std::string>{});
    CHECK(result.epochs > 4);
    CHECK(result.set_changes > 2);
  }
}

TEST_CASE("sim: a set of one, then of many, then of one, and everybody follows") {
  WorldOptions options = changing(1);
  options.faults = false;
  options.setup.sets = {{{0, 1}}, {{0, 1}}, {{5, 2}}};
  for (int i = 0; i < 40; ++i) {
    options.setup.sets.push_back({{7, 3}, {1, 1}, {4, 1}, {2, 1}, {6, 2}, {0, 1}});
    options.setup.sets.push_back({{3, 1}});
  }
  options.faults_until_ms = 1'000;
  options.duration_ms = 30'000;
  const WorldResult result = run(options);
  CHECK(result.failures == std::vector<std::string>{});
  CHECK(result.set_changes > 5);
}

// Nodes 5 and 6 of seven are down while the set changes several times.
TEST_CASE("sim: sets change while almost a third of the validators is down") {
  for (const bool real : {false, true}) {
    WorldOptions options = changing(3);
    options.faults = false;
    options.setup.validators = 7;
    options.setup.sets = {};
    for (int i = 0; i < 50; ++i) {
      options.setup.sets.push_back({{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}});
      options.setup.sets.push_back({{5, 1}, {7, 1}, {2, 1}, {9, 1}, {4, 1}, {8, 1}, {6, 1}});
    }
    options.down = {{5, 3'000, 40'000}, {6, 3'000, 40'000}};
    options.faults_until_ms = 41'000;
    options.duration_ms = 48'000;
    const WorldResult result = run(options, real);
    CHECK(result.failures == std::vector<std::string>{});
    CHECK(result.height > 35);  // of which the first three seconds bring twenty at most
    CHECK(result.set_changes > 3);
  }
}

TEST_CASE("sim: a new node syncs over many changes of the set, and may be in the next") {
  for (const std::size_t observers : {0u, 1u}) {
    for (const bool real : {false, true}) {
      WorldOptions options = changing(4);
      options.setup.observers = observers;
      options.faults = false;
      options.newcomer_ms = 40'000;
      options.faults_until_ms = 41'000;
      options.duration_ms = 58'000;
      const WorldResult result = run(options, real);
      CHECK(result.failures == std::vector<std::string>{});
      CHECK(result.epochs > 10);
    }
  }
}

TEST_CASE("sim: nodes that see an equivocator report it, and the chain takes its bond") {
  for (const AdversaryKind kind : {AdversaryKind::equivocator, AdversaryKind::twins}) {
    WorldOptions options = changing(5);
    options.adversary = kind;
    const WorldResult result = run(options, true);
    INFO(name_of(kind));
    CHECK(result.failures == std::vector<std::string>{});
    CHECK(result.evidence > 0);
    CHECK(result.convicted);
  }
}

}  // namespace tally::sim
