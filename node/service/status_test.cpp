#include "node/service/status.hpp"

#include <catch2/catch.hpp>

using namespace tally;
using namespace tally::service;
using consensus::Silence;
using ports::NodeState;

namespace {

// A validator of four that is well.
StatusInputs well() {
  StatusInputs in;
  in.has_keys = true;
  in.core.hint.epoch = Epoch(3);
  in.core.head.number = BlockNumber(100);
  in.core.best_seen = BlockNumber(101);
  in.core.validates = true;
  in.had_peers = true;
  in.peers = in.validator_peers = 3;
  in.linked_weight = 4;
  in.quorum = 3;
  in.idle_interval = DurationMs(2'000);
  return in;
}

StatusInputs silent(Silence silence) {
  StatusInputs in = well();
  in.core.standing.silence = silence;
  in.core.standing.detail = "DETAIL";
  return in;
}

}  // namespace

TEST_CASE("a validator that is well says so and asks for nothing") {
  const Judgement judged = judge(well());
  CHECK(judged.state == NodeState::validating);
  CHECK(judged.reason.find("epoch 3") != std::string::npos);
  CHECK(judged.advice.empty());
}

TEST_CASE("a validator that must not vote says why and what to do") {
  const auto [silence, word] = GENERATE(table<Silence, std::string>({
      {Silence::log_damaged, "damaged"},
      {Silence::votes_missing, "missing"},
      {Silence::database_behind, "later epoch"},
      {Silence::another_copy, "DETAIL"},
      {Silence::signer_away, "DETAIL"},
      {Silence::signer_refuses, "DETAIL"},
  }));
  const Judgement judged = judge(silent(silence));
  INFO(judged.reason);
  CHECK(judged.state == NodeState::not_voting);
  CHECK(judged.reason.find(word) != std::string::npos);
  CHECK_FALSE(judged.advice.empty());
}

TEST_CASE("what stands above all else is said first") {
  StatusInputs in = silent(Silence::log_damaged);
  in.core.best_seen = BlockNumber(500);
  CHECK(judge(in).state == NodeState::syncing_blocks);
  CHECK(judge(in).progress->total == 500);
  in.core.snapshot = core::CoreStatus::Progress{3, 7};
  CHECK(judge(in).state == NodeState::syncing_snapshot);
  CHECK(judge(in).progress->done == 3);
  in.stopped = "the end";
  CHECK(judge(in).state == NodeState::stopped);
}

TEST_CASE("a validator that hears too few others does not pretend to validate") {
  StatusInputs in = well();
  in.peers = in.validator_peers = 1;
  in.linked_weight = 2;
  CHECK(judge(in).state == NodeState::not_voting);
  CHECK(judge(in).reason.find("weight 2") != std::string::npos);
  in.core.standing.silence = Silence::listening;
  CHECK(judge(in).state == NodeState::listening);
  CHECK_FALSE(judge(in).advice.empty());
  in.peers = 0;
  in.had_peers = false;
  CHECK(judge(in).state == NodeState::starting);
}

TEST_CASE("a node whose key another one uses says that, and what to do") {
  StatusInputs in = silent(Silence::listening);
  in.key_is_in_use = true;
  CHECK(judge(in).state == NodeState::listening);  // enough of the others let it in
  in.linked_weight = 1;
  in.peers = 0;
  CHECK(judge(in).state == NodeState::not_voting);
  CHECK(judge(in).reason.find("key") != std::string::npos);
  CHECK(judge(in).advice.find("stop one") != std::string::npos);
  in.has_keys = false;
  CHECK(judge(in).state == NodeState::starting);
}

TEST_CASE("a chain that stands still is said, and a heartbeat's pause is not") {
  StatusInputs in = well();
  in.since_final = DurationMs(15'000);
  CHECK(judge(in).advice.empty());
  in.since_final = DurationMs(61'000);
  CHECK(judge(in).state == NodeState::validating);
  CHECK(judge(in).reason.find("61 s") != std::string::npos);
  CHECK_FALSE(judge(in).advice.empty());
}

// Shown to fail with each of the three conditions of sync_target() left out.
TEST_CASE("a head that peers claim and do not show counts where no block becomes final") {
  StatusInputs in = silent(Silence::not_a_member);
  in.core.doubtful = BlockNumber(10'000);
  CHECK(judge(in).state == NodeState::following);
  CHECK(sync_target(in) == BlockNumber(101));
  in.since_final = DurationMs(61'000);
  CHECK(judge(in).state == NodeState::syncing_blocks);
  CHECK(judge(in).progress->total == 10'000);
  CHECK(judge(in).reason.find("claims block 10000") != std::string::npos);
  CHECK_FALSE(judge(in).advice.empty());
  CHECK(sync_target(in) == BlockNumber(10'000));
  in.core.standing.silence = Silence::none;
  CHECK(judge(in).state == NodeState::syncing_blocks);
  in.linked_weight = 1;
  CHECK(judge(in).state == NodeState::not_voting);
  CHECK(sync_target(in) == BlockNumber(101));
}

TEST_CASE("a sync that cannot go on says what to do") {
  StatusInputs in = silent(Silence::not_a_member);
  in.core.best_seen = BlockNumber(10'000);
  CHECK(judge(in).advice.empty());
  in.core.pruned_everywhere = true;
  CHECK(judge(in).state == NodeState::syncing_blocks);
  CHECK(judge(in).advice.find("archive") != std::string::npos);
  in.core.snapshot = core::CoreStatus::Progress{3, 7};
  CHECK(judge(in).advice.empty());
  in.peers = 0;
  CHECK(judge(in).state == NodeState::syncing_snapshot);
  CHECK(judge(in).advice.find("bootnode") != std::string::npos);
}

TEST_CASE("a full node that hears of no final block says that what it shows may be old") {
  StatusInputs in = silent(Silence::not_a_member);
  in.has_keys = GENERATE(false, true);
  in.since_final = DurationMs(15'000);
  CHECK(judge(in).reason.find("final") == std::string::npos);
  in.since_final = DurationMs(61'000);
  CHECK(judge(in).state == NodeState::following);
  CHECK(judge(in).reason.find("61 s") != std::string::npos);
  CHECK(judge(in).advice.find("network") != std::string::npos);
}

TEST_CASE("a full node follows, and a validator outside of the set says that it is out") {
  StatusInputs in = silent(Silence::not_a_member);
  CHECK(judge(in).state == NodeState::following);
  CHECK(judge(in).reason.find("not in the set") != std::string::npos);
  in.has_keys = false;
  CHECK(judge(in).reason.find("full node") != std::string::npos);
  in.peers = 0;
  CHECK(judge(in).reason.find("no peer") != std::string::npos);
}
