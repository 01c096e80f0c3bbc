// What a world keeps about one of its nodes, and what it hears from it.
#pragma once

#include "node/ports/chain.hpp"
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
    if (!byzantine) {
      world.checkers_.on_final(index, block, world.latest_time());
      world.on_epoch_edge(block.header.number.value.value);
      world.judge_body(index, block.hash, block.extrinsics);
      judge_epoch_end(block);
      judge_wallets(block);
    }
    for (const Hash& hash : block.extrinsics) {
      world.included_.insert(hash);
      world.waiting_.erase(hash);
      world.note_finality(index, hash);
    }
  }
  void on_snapshot(const ports::ChainHead& head) override {
    world.note(index, "snapshot", head.hash);
    world.snapshots_ += 1;
    if (byzantine) return;
    world.checkers_.on_snapshot(index, head);
    world.judge_snapshot(index, head);
  }
  void on_accepted(const Hash&) override {}
  void on_alarm(const std::string& text) override {
    world.note(index, text, {});
    // All parts of a state were checked: only a disk can have changed what they make.
    const bool unsound = text.find("the whole is not") != std::string::npos;
    if (unsound && !node->faults().damaged) {
      world.checkers_.fail("node " + std::to_string(index) + " put together a state that is none");
    }
  }
  void on_evidence(const Evidence& evidence) override {
    world.evidence_ += 1;
    if (!byzantine && node->key()) {
      world.caught_at_ = std::min(world.caught_at_.value_or(world.now_), world.now_);
    }
    world.note(index, "evidence", encode(evidence.first));
    const ValidatorSet* set = world.checkers_.set_of(evidence.first.statement.epoch);
    const bool known = set != nullptr && evidence.first.signer.value < set->members.size();
    const auto who = known ? world.node_of(set->members[evidence.first.signer.value].consensus_key)
                           : std::nullopt;
    if (who != world.faulty_ || world.options_.adversary == AdversaryKind::none) {
      world.checkers_.fail("evidence against an honest validator");
    }
  }
  void on_evidence_news(const std::string& text) override { world.note(index, text, {}); }
  void judge_wallets(const consensus::Finalized& block) {
    Wallets* wallets = world.factory_.wallets();
    if (wallets == nullptr) return;
    const auto wrong = wallets->judge(block.header.number.value, block.extrinsics);
    if (wrong) world.checkers_.fail("node " + std::to_string(index) + ": " + *wrong);
  }
  // While the store still stands at this block.
  void judge_epoch_end(const consensus::Finalized& block) {
    const auto number = block.header.number.value.value;
    const auto length = world.options_.setup.epoch_length;
    if (number == 0 || number % length != 0 || !node->running()) return;
    const auto store = node->read_store();
    const auto head = ports::find_head(*store);
    const Epoch epoch(number / length);
    const ValidatorSet* served = world.checkers_.set_of(epoch);
    const ValidatorSet* named = world.checkers_.set_of(epoch.next().next());
    if (!head || head->hash != block.hash) return;
    if (world.options_.setup.snapshots) world.judge_state(index, block.hash, *store);
    if (named == nullptr || served == nullptr) return;
    const auto wrong = world.factory_.judge_end(*store, {epoch, *served, *named});
    if (wrong) world.checkers_.fail("node " + std::to_string(index) + ": " + *wrong);
  }
  void on_violation(const consensus::SafetyViolation& violation) override {
    world.note(index, violation.what, {});
    world.checkers_.on_violation(index, violation.what);
  }
};

}  // namespace tally::sim
