// The faults of a world, drawn from its seed: every kind at least once.
#include <algorithm>

#include "node/consensus/coverage.hpp"
#include "tests/sim/node_state.hpp"

namespace tally::sim {

using consensus::mark;
using consensus::Mark;

void World::draw_faults() {
  Random random(options_.seed, "faults");
  const std::uint64_t until = options_.faults_until_ms;
  const auto window = [&](std::uint64_t longest, std::function<void()> begin,
                          std::function<void()> end) {
    const std::uint64_t from = random.between(500, until - 1'000);
    const std::uint64_t to = std::min(until, from + random.between(200, longest));
    at(from, std::move(begin));
    at(to, std::move(end));
  };
  weather_.delay_max = random.between(5, 60);
  const std::uint64_t calm = weather_.delay_max;
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t loss = random.between(20, 300);
    window(
        6'000, [this, loss] { weather_.loss = loss; }, [this] { weather_.loss = 0; });
    window(
        5'000, [this] { weather_.duplicate = 300; }, [this] { weather_.duplicate = 0; });
    const std::uint64_t late = random.between(200, 1'500);
    window(
        4'000, [this, late] { weather_.delay_max = late; },
        [this, calm] { weather_.delay_max = calm; });
    std::vector<std::size_t> side;
    for (std::size_t n = 0; n < nodes_.size(); ++n) side.push_back(random.below(2));
    window(
        6'000, [this, side] { weather_.side = side; }, [this] { weather_.side.clear(); });
  }
  const std::size_t slow = random.below(nodes_.size());
  const std::uint64_t sync = random.between(5, 40);
  window(
      8'000,
      [this, slow, sync] {
        mark(Mark::disk_slow);
        nodes_[slow]->node->faults().sync_ms = sync;
      },
      [this, slow] { nodes_[slow]->node->faults().sync_ms = 0; });
  draw_crashes(random);
  Random others(options_.seed, "disks and machines");
  draw_disks(others);
  draw_machines(others);
}

void World::draw_disks(Random& random) {
  const std::uint64_t until = options_.faults_until_ms;
  // The high-water file of anybody: the log says the same and more.
  const std::size_t scratched = random.below(nodes_.size());
  const std::uint64_t bit = random.next();
  at(random.between(2'000, until - 2'000), [this, scratched, bit] {
    store::SimDisk& disk = nodes_[scratched]->node->disk();
    if (nodes_[scratched]->node->running()) crash_node(scratched);
    auto& file = disk.high_water_file();
    if (!file.live || file.live->empty()) return;
    mark(Mark::high_water_bit_flipped);
    note(scratched, "a bit of the high-water file turns over", {});
    store::SimDisk::flip_bit(file, bit % (8 * file.live->size()));
  });
  const std::size_t full = random.below(nodes_.size());
  const std::uint64_t from = random.between(1'000, until - 4'000);
  at(from, [this, full] {
    mark(Mark::disk_full);
    nodes_[full]->node->faults().full = true;
  });
  at(from + random.between(300, 3'000),
     [this, full] { nodes_[full]->node->faults().full = false; });
  // Until it has the chain again it is one that is away, so it is the one that may be.
  const std::uint64_t seed = random.next();
  const bool at_start = random.chance(500);
  at(random.between(5'000, until - 8'000), [this, seed, at_start] {
    if (!checkers_.can_spare_one()) return;
    SimNode& node = *nodes_[faulty_]->node;
    if (at_start && node.running()) crash_node(faulty_);
    Random where(seed);
    if (!node.damage_database(where)) return;
    mark(Mark::database_bit_flipped);
    note(faulty_, "a bit of the database turns over", node.faults().damaged->second);
  });
}

void World::draw_machines(Random& random) {
  const std::uint64_t until = options_.faults_until_ms;
  const std::size_t slow = random.below(nodes_.size());
  const std::uint64_t turn = random.between(1, 6);
  const std::uint64_t from = random.between(1'000, until - 6'000);
  at(from, [this, slow, turn] {
    mark(Mark::cpu_slow);
    nodes_[slow]->node->faults().cpu_ms = turn;
  });
  at(from + random.between(500, 5'000), [this, slow] { nodes_[slow]->node->faults().cpu_ms = 0; });
  // One clock is seconds off for a while.
  const std::size_t jumper = random.below(nodes_.size());
  const auto jump = static_cast<std::int64_t>(random.between(1, 8'000)) - 4'000;
  const std::uint64_t jumps = random.between(1'000, until - 6'000);
  at(jumps, [this, jumper, jump] {
    mark(Mark::clock_jump);
    note(jumper, "its clock jumps", {});
    nodes_[jumper]->skew_ms += jump;
  });
  at(jumps + random.between(500, 5'000), [this, jumper, jump] { nodes_[jumper]->skew_ms -= jump; });
}

void World::draw_crashes(Random& random) {
  const std::uint64_t until = options_.faults_until_ms;
  for (std::uint64_t i = random.between(3, 6); i > 0; --i) {
    const std::size_t node = random.below(nodes_.size());
    const std::uint64_t writes = random.below(12);
    at(random.between(500, until - 1'000), [this, node, writes] {
      if (nodes_[node]->node->running()) nodes_[node]->node->faults().crash_after = writes;
    });
  }
  // Power is gone for everyone at once.
  if (random.chance(300)) {
    at(random.between(1'000, until - 1'000), [this] {
      mark(Mark::crash_of_all);
      for (std::size_t n = 0; n < nodes_.size(); ++n) {
        if (nodes_[n]->node->running()) crash_node(n);
      }
    });
  }
  // A bit of the faulty validator's log turns over while it is down. It then sits out an epoch,
  // which a set of fewer than four would not survive.
  const std::uint64_t bit = random.next();
  at(random.between(5'000, until - 5'000), [this, bit] {
    if (!checkers_.can_spare_one()) return;
    NodeState& state = *nodes_[faulty_];
    if (state.node->running()) crash_node(faulty_);
    auto& log = state.node->disk().vote_log_file();
    if (!log.live || log.live->empty()) return;
    mark(Mark::log_bit_flipped);
    note(faulty_, "a bit of the log turns over", {});
    state.node->disk().flip_log_bit(bit % (8 * log.live->size()));
  });
}

void World::end_faults() {
  weather_ = Weather{};
  if (options_.delay_ms) weather_.delay_min = weather_.delay_max = *options_.delay_ms;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    nodes_[n]->node->faults().crash_after.reset();
    nodes_[n]->node->faults().sync_ms = 0;
    nodes_[n]->node->faults().cpu_ms = 0;
    nodes_[n]->node->faults().full = false;
  }
}

}  // namespace tally::sim
