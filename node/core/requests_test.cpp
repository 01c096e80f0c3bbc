// What peers may ask of a node, how much of it, and what the node asks of them.
#include "node/core/observer_test.hpp"

namespace tally::core {
namespace {

// Each costs an EpochProofsRequest's share of a level, which is 64 MiB, and 128 MiB for all guests.
constexpr std::size_t kProofsOfALevel = (std::size_t{64} << 20) / (kMaxEpochProofs << 14);

// Keys in a process that is away.
struct RemoteKeys final : ports::KeyHolder {
  bool gone = true;
  Secret secret = genesis::dev_validator_secrets("Bob").consensus;
  Ed25519Key consensus_key() const override { return ed25519_public(secret); }
  std::optional<Ed25519Signature> try_sign(ByteView message) const override {
    if (gone) return std::nullopt;
    return ed25519_sign(secret, message);
  }
  std::optional<VrfProof> try_prove(ByteView) const override { return std::nullopt; }
  std::optional<std::string> away() const override {
    if (!gone) return std::nullopt;
    return "gone";
  }
  std::optional<std::string> refused() const override { return std::nullopt; }
};

std::size_t ask_proofs(Observer& o, std::uint8_t from, std::size_t times) {
  const std::size_t before = o.network.sent[peer(from)]["EpochProofsReply"];
  for (std::size_t i = 0; i < times; ++i) o.hear(peer(from), EpochProofsRequest{Epoch(1)});
  return o.network.sent[peer(from)]["EpochProofsReply"] - before;
}

consensus::Envelope block_request(const Observer& o) {
  return {o.core->status().hint, consensus::BlockRequest{o.node.head().hash, 1}};
}

}  // namespace

// Shown to fail with each of the four requests answered whatever the level, and with members left
// under the level of the guests.
TEST_CASE("a peer that asks too much is not answered for a while, whatever it asks") {
  Observer o({.blocks = 1});
  const auto answers = [&](std::uint8_t from) {
    o.hear(peer(from), RangeRequest{BlockNumber(1)});
    o.hear(peer(from), EpochProofsRequest{Epoch(1)});
    o.hear(peer(from), SubtreesRequest{1, BlockNumber(1), {}});
    o.hear(peer(from), ConsensusFrame{block_request(o)});
    o.core->end_turn();
    std::size_t out = 0;
    for (const char* name : {"RangeReply", "EpochProofsReply", "SubtreesReply", "BlockReply"}) {
      out += std::exchange(o.network.sent[peer(from)][name], 0) > 0 ? 1 : 0;
    }
    return out;
  };
  REQUIRE(answers(1) == 4);
  const std::size_t answered = ask_proofs(o, 1, 2 * kProofsOfALevel);
  CHECK(answered > kProofsOfALevel - 4);
  CHECK(answered <= kProofsOfALevel);
  o.network.sent.clear();
  CHECK(answers(1) == 0);
  CHECK(answers(2) == 4);
  // Guests have two levels together; a member of the set has its own.
  (void)ask_proofs(o, 2, 2 * kProofsOfALevel);
  o.network.sent.clear();
  CHECK(answers(3) == 0);
  o.claim(peer(3), "Alice");
  CHECK(answers(3) == 4);
  o.clock.moment.instant = o.clock.moment.instant + DurationMs(10'000);
  CHECK(answers(1) == 4);
  CHECK(o.network.dropped.empty());
}

// Shown to fail where the answers are not charged.
TEST_CASE("what a range holds is charged beside the asking") {
  Observer o({.blocks = 64});
  for (int i = 0; i < 200; ++i) o.hear(peer(1), RangeRequest{BlockNumber(1)});
  const std::size_t answered = o.network.sent[peer(1)]["RangeReply"];
  CHECK(answered > 40);
  CHECK(answered < 66);  // 64 blocks and the asking, each 16 KiB of 64 MiB
}

TEST_CASE("a node of another chain is not dealt with") {
  Observer o;
  Status other = o.status(7);
  other.genesis_hash.bytes[0] ^= 1;
  o.hear(peer(1), other);
  CHECK(o.network.dropped.contains(peer(1)));
  CHECK(o.core->status().best_seen == BlockNumber(0));
}

// Shown to fail where the liar's link stays.
TEST_CASE("who answers without a block is dropped, and who was not asked is not") {
  Observer o;
  o.hear(peer(1), o.status(50));
  o.core->end_turn();
  REQUIRE(o.network.sent[peer(1)]["RangeRequest"] == 1);
  o.hear(peer(2), RangeReply{});  // was not asked
  CHECK(o.network.dropped.empty());
  o.hear(peer(1), RangeReply{});
  CHECK(o.network.dropped.contains(peer(1)));
}

// Until then nobody knows whom to remind of its votes. Shown to fail where it waits for its next
// Status, and where what it listened before counts.
TEST_CASE("whose node this is its peers hear as soon as the signer is back") {
  RemoteKeys keys;
  Observer o({.signer = &keys});
  const auto turn = [&](std::uint64_t later_ms) {
    o.clock.moment.instant = o.clock.moment.instant + DurationMs(later_ms);
    o.core->on_timer();
    o.core->end_turn();
    return std::exchange(o.network.sent[peer(1)]["Status"], 0);
  };
  const auto listened = [&] {
    return o.core->engine().simplex().guard().listened(o.clock.moment.instant);
  };
  REQUIRE(turn(0) > 0);
  CHECK(turn(500) == 0);
  keys.gone = false;
  CHECK(turn(300) == 1);
  CHECK(listened() == DurationMs(0));
  CHECK(turn(300) == 0);
  CHECK(listened() == DurationMs(300));
}

// Shown to fail where the wrong proof's sender stays linked.
TEST_CASE("who answers with a wrong proof is dropped") {
  Observer o({.sync = SyncMode::snapshot});
  o.hear(peer(1), o.status(5'000));
  o.core->end_turn();
  REQUIRE(o.network.sent[peer(1)]["EpochProofsRequest"] == 1);
  EpochProofsReply wrong;
  REQUIRE(wrong.proofs.push_back(EpochProof{}));
  o.hear(peer(1), wrong);
  o.core->end_turn();
  CHECK(o.network.dropped.contains(peer(1)));
}

// Shown to fail with each of the conditions of wants_snapshot() left out.
TEST_CASE("a state is taken by a node without blocks that is far behind, or by order") {
  struct Case {
    SyncMode mode;
    std::uint32_t blocks;
    std::uint32_t claimed;
    bool snapshot;
  };
  const Case cases[] = {
      {SyncMode::automatic, 0, 50'000, true},  {SyncMode::automatic, 0, 900, false},
      {SyncMode::automatic, 1, 50'000, false}, {SyncMode::snapshot, 0, 50'000, true},
      {SyncMode::snapshot, 1, 50'000, false},  {SyncMode::blocks, 0, 50'000, false}};
  for (const Case& one : cases) {
    INFO("mode " << static_cast<int>(one.mode) << ", " << one.blocks << " of " << one.claimed);
    Observer o({.blocks = one.blocks, .sync = one.mode});
    o.hear(peer(1), o.status(one.claimed));
    o.core->end_turn();
    CHECK(o.network.sent[peer(1)]["EpochProofsRequest"] == (one.snapshot ? 1 : 0));
    CHECK(o.network.sent[peer(1)]["RangeRequest"] == (one.snapshot ? 0 : 1));
  }
}

// Shown to fail where every target that is stored counts.
TEST_CASE("a state that was being fetched is gone on with, unless blocks have passed it") {
  for (const std::uint32_t target : {3U, 4U}) {
    Observer o({.blocks = 3, .sync = SyncMode::automatic});
    o.snapshots.set_target({Epoch(1), BlockNumber(target), {}, {}});
    o.hear(peer(1), o.status(50'000));
    o.core->end_turn();
    CHECK(o.snapshots.target().has_value() == (target == 4));
    CHECK(o.network.sent[peer(1)]["EpochProofsRequest"] == (target == 4 ? 1 : 0));
    CHECK(o.network.sent[peer(1)]["RangeRequest"] == (target == 4 ? 0 : 1));
  }
}

TEST_CASE("where nobody keeps the next block a state is taken, unless blocks are ordered") {
  for (const SyncMode mode : {SyncMode::automatic, SyncMode::blocks}) {
    Observer o({.blocks = 1, .sync = mode});
    o.hear(peer(1), o.status(50'000));
    o.core->end_turn();
    REQUIRE(o.network.sent[peer(1)]["RangeRequest"] == 1);
    o.hear(peer(1), RangePruned{BlockNumber(40'000)});
    o.core->end_turn();
    CHECK(o.network.sent[peer(1)]["EpochProofsRequest"] == (mode == SyncMode::automatic ? 1 : 0));
    CHECK(o.core->status().pruned_everywhere);
  }
}

// Shown to fail where status() has one of the two alone.
TEST_CASE("a head that is claimed and not shown is told apart from one that may be shown yet") {
  Observer o({.blocks = 5});
  o.hear(peer(1), o.status(900));
  CHECK(o.core->status().best_seen == BlockNumber(900));
  CHECK(o.core->status().doubtful == BlockNumber(0));
  for (int i = 0; i < 8; ++i) {
    o.core->end_turn();
    o.clock.moment.instant = o.clock.moment.instant + DurationMs(100'000);
  }
  CHECK(o.core->status().best_seen == BlockNumber(5));
  CHECK(o.core->status().doubtful == BlockNumber(900));
}

}  // namespace tally::core
