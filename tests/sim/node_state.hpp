// What a world keeps about one of its nodes, and what it hears from it.
#pragma once

#include "tests/sim/world.hpp"

namespace tally::sim {

struct World::NodeState final : core::Listener {
  World& world;
  std::size_t index;
  std::unique_ptr<SimNode> node;
  std::unique_ptr<Adversary> adversary;
  bool byzantine = false;
  std::int64_t skew_ms = 0;
  std::uint64_t busy_until = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t timer_at = ~std::uint64_t{0};
  struct Frame {
    ports::PeerId to;
    ports::Channel channel;
    Bytes bytes;
  };
  std::vector<Frame> outbox;
  std::vector<ports::PeerId> drops;

  NodeState(World& w, std::size_t i) : world(w), index(i) {}

  void on_final(const consensus::Finalized& block) override {
    world.note(index, "final", block.hash);
    if (!byzantine) world.checkers_.on_final(index, block);
    for (const Hash& hash : block.extrinsics) {
      world.included_.insert(hash);
      world.waiting_.erase(hash);
      world.note_finality(index, hash);
    }
  }
  void on_accepted(const Hash&) override {}
  void on_alarm(const std::string& text) override { world.note(index, text, {}); }
  void on_evidence(const Evidence& evidence) override {
    world.evidence_ += 1;
    world.note(index, "evidence", encode(evidence.first));
    if (evidence.first.signer.value != world.faulty_ ||
        world.options_.adversary == AdversaryKind::none) {
      world.checkers_.fail("evidence against an honest validator");
    }
  }
  void on_violation(const consensus::SafetyViolation& violation) override {
    world.note(index, violation.what, {});
    world.checkers_.on_violation(index, violation.what);
  }
};

}  // namespace tally::sim
