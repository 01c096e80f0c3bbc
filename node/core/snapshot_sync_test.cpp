// Snapshot sync against peers that serve truly, lie, stay silent, or do not have what is wanted.
#include "node/core/snapshot_sync.hpp"

#include <catch2/catch.hpp>
#include <queue>

#include "genesis/dev_keys.hpp"
#include "node/execution/snapshots.hpp"
#include "node/ports/chain.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::core {
namespace {

using execution::Retention;
using ports::Column;
using ports::Instant;
using ports::PeerId;
using tests::ChainNode;
using tests::dev;

constexpr std::uint32_t kEpoch = 10;  // blocks
constexpr Retention kRetention{.states = 3, .blocks = 0, .epoch_length = kEpoch};

PeerId peer(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}

genesis::ChainSpec spec() {
  genesis::ChainSpec out = ChainNode::dev_spec();
  out.consensus.epoch_length = kEpoch;
  for (std::uint64_t i = 0; i < 9'000; ++i) {
    const auto account = AccountId::from(blake2_256({as_bytes("sync"), encode(i)}));
    out.accounts.push_back({*account, Balance(5'000'000)});
  }
  return out;
}

// A chain of one validator, with the proofs of its epochs.
class Server {
 public:
  Server() : node(spec(), {.retention = kRetention, .limits = {}}), snapshots(*node.store, [] {}) {
    TALLY_ASSERT(set.members.push_back(spec().validators[0]));
  }
  void grow(std::uint32_t blocks, const std::string& to = "Eve") {
    for (std::uint32_t i = 0; i < blocks; ++i) {
      const auto nonce = node.pool->next_nonce(dev("Bob").account());
      node.submit(
          node.sign(dev("Bob"), tests::transfer(dev(to), 5'000'000), {.nonce = nonce.value}));
      const Block block = node.advance();
      const std::uint32_t height = node.head().number.value;
      if (height % kEpoch != 0) continue;
      const Epoch epoch(height / kEpoch);
      const Statement statement{epoch, VoteKind::finalize, consensus_digest(block.header)->view,
                                block_hash(block.header)};
      const Secret secret = genesis::dev_validator_secrets("Alice").consensus;
      const Vote vote{statement, ValidatorIndex(0),
                      ed25519_sign(secret, statement_bytes(node.genesis_hash(), statement))};
      EpochProof proof;
      proof.header = block.header;
      proof.finalization = make_certificate({vote}, set);
      node.store->write({ports::put_epoch_proof(epoch, proof)}, ports::Durability::buffered);
    }
  }

  ChainNode node;
  execution::Snapshots snapshots;
  ValidatorSet set;
};

Server& shared_server() {
  static Server server;
  if (server.node.head().number.value == 0) server.grow(34);
  return server;
}

// Another chain of the same validator, from genesis on.
Server& other_server() {
  static Server server;
  if (server.node.head().number.value == 0) server.grow(34, "Charlie");
  return server;
}

enum class Manner {
  honest,
  silent,
  lacks,
  wrong_part,
  wrong_node,
  wrong_proof,
  wrong_body,
  wrong_block,
  other_chain,  // proves that one
  stops         // proves a few epochs, and then is at another head
};

struct Answer {
  std::uint64_t at;
  PeerId from;
  WireMessage message;
};
struct Later {
  bool operator()(const Answer& a, const Answer& b) const { return a.at > b.at; }
};

// A newcomer and its peers, in virtual time. One peer is served by the chain of each manner.
class Newcomer {
 public:
  explicit Newcomer(Server& server)
      : server_(server),
        node(spec(), {.retention = kRetention, .limits = {}}),
        snapshots(*node.store, [this] { node.app->reload(); }) {
    begin();
  }
  void begin(std::optional<ports::ChainHead> trusted = std::nullopt) {
    answers_ = {};  // they were for the process before
    sync = std::make_unique<SnapshotSync>(
        SnapshotSync::Chain{node.genesis_hash(), server_.set, server_.set, kEpoch, trusted},
        SnapshotSync::Parts{*node.store, snapshots, verifier_}, node.head().number);
    for (const auto& [id, manner] : peers) sync->peer_head(id, claimed_);
  }
  void add(std::uint8_t name, Manner manner) {
    peers[peer(name)] = manner;
    sync->peer_head(peer(name), claimed_);
  }
  // Until it has installed, has nothing to do, has sent so many requests, or a minute has passed.
  SnapshotSync::Output run(std::size_t requests_max = ~std::size_t{0}) {
    const std::uint64_t until = now + 60'000;
    for (;;) {
      const auto output = sync->step(Instant(now));
      for (const auto& drop : output.drops) {
        dropped.push_back(drop.peer);
        peers.erase(drop.peer);
        sync->peer_down(drop.peer);
      }
      for (const auto& alarm : output.alarms) alarms.push_back(alarm);
      for (const auto& [to, message] : output.sends) answer(to, message);
      if (output.installed || output.nothing_to_do || requests >= requests_max) return output;
      if (!output.drops.empty()) continue;
      const auto timer = sync->next_timer();
      if (!answers_.empty() && (!timer || answers_.top().at <= timer->value)) {
        const Answer next = answers_.top();
        answers_.pop();
        now = std::max(now, next.at);
        if (peers.contains(next.from)) hand_in(next);
      } else {
        REQUIRE(timer);
        now = std::max(now + 1, timer->value);
      }
      REQUIRE(now < until);
    }
  }

  Server& server_;
  ChainNode node;
  execution::Snapshots snapshots;
  std::unique_ptr<SnapshotSync> sync;
  std::map<PeerId, Manner> peers;
  std::vector<PeerId> dropped;
  std::vector<std::string> alarms;
  std::map<PeerId, std::size_t> parts_of;
  std::size_t requests = 0;
  bool asked_for_block = false;
  Epoch other_up_to{3};  // who is of another chain proves it so far
  std::uint64_t now = 1'000;
  std::size_t lost = 0;                                          // the request that is not answered
  std::size_t proofs_max = ~std::size_t{0};                      // in an answer
  std::vector<std::pair<unsigned, std::uint64_t>> proofs_asked;  // of whom, from which epoch on

 private:
  void hand_in(const Answer& next) {
    if (const auto* proofs = std::get_if<EpochProofsReply>(&next.message)) {
      sync->on_reply(next.from, *proofs, Instant(now));
      if (!proofs->proofs.empty()) return;
      ++stopped_;
      for (const auto& [id, manner] : peers) {
        if (manner != Manner::stops) continue;
        sync->peer_head(id, BlockNumber(claimed_.value + stopped_ % 2 * kEpoch));
      }
    } else if (const auto* parts = std::get_if<SubtreesReply>(&next.message)) {
      sync->on_reply(next.from, *parts, Instant(now));
    } else if (const auto* range = std::get_if<RangeReply>(&next.message)) {
      sync->on_reply(next.from, *range, Instant(now));
    } else {
      sync->on_pruned(next.from);
    }
  }

  void answer(const PeerId& to, const WireMessage& message) {
    ++requests;
    asked_for_block |= std::holds_alternative<RangeRequest>(message);
    const Manner manner = peers.contains(to) ? peers.at(to) : Manner::silent;
    const auto* asked = std::get_if<EpochProofsRequest>(&message);
    if (asked != nullptr) proofs_asked.emplace_back(to.bytes[0], asked->from.value);
    if (manner == Manner::silent || requests == lost) return;
    const std::uint64_t at = now + 10 + to.bytes[0];
    if (const auto* proofs = std::get_if<EpochProofsRequest>(&message)) {
      EpochProofsReply reply;
      const bool other = manner == Manner::other_chain;
      const bool some = other || manner == Manner::stops;
      const ports::Store& store = *(other ? other_server() : server_).node.store;
      for (Epoch epoch = proofs->from; !some || epoch <= other_up_to; epoch = epoch.next()) {
        auto proof = ports::find_epoch_proof(store, epoch);
        if (!proof) break;
        if (manner == Manner::wrong_proof) proof->header.state_root.bytes[0] ^= 1;
        if (!reply.proofs.push_back(*proof) || reply.proofs.size() == proofs_max) break;
      }
      answers_.push({at, to, reply});
    } else if (const auto* wanted = std::get_if<SubtreesRequest>(&message)) {
      SubtreesReply reply{wanted->id, {}};
      auto read = server_.snapshots.read(wanted->at, wanted->subtrees.items());
      if (manner == Manner::lacks) read.parts.clear();
      if (manner == Manner::wrong_node) {
        for (auto& part : read.parts) {
          auto* inner = std::get_if<ports::SubtreeNode>(&part);
          if (inner != nullptr) inner->node.back() ^= 1;
        }
      }
      if (manner == Manner::wrong_part) {
        for (auto& part : read.parts) {
          auto* leaves = std::get_if<ports::SubtreeLeaves>(&part);
          if (leaves != nullptr) leaves->entries[0].value.push_back(1);
        }
      }
      parts_of[to] += read.parts.size();
      reply.parts = *decltype(reply.parts)::from(std::move(read.parts));
      answers_.push({at, to, reply});
    } else if (const auto* range = std::get_if<RangeRequest>(&message)) {
      const auto hash = ports::find_final(*server_.node.store, range->from);
      RangeReply reply;
      Block block = *ports::find_block(*server_.node.store, *hash);
      if (manner == Manner::wrong_body) block.extrinsics.clear();
      if (manner == Manner::wrong_block) block.header.state_root.bytes[0] ^= 1;
      reply.blocks = *decltype(reply.blocks)::from({block});
      answers_.push({at, to, reply});
    }
  }

  BlockNumber claimed_{34};
  std::uint32_t stopped_ = 0;
  tests::CountingVerifier verifier_;
  std::priority_queue<Answer, std::vector<Answer>, Later> answers_;
};

void check_joined(const Newcomer& newcomer, std::uint32_t height) {
  const Server& server = newcomer.server_;
  const auto hash = ports::find_final(*server.node.store, BlockNumber(height));
  CHECK(newcomer.node.head() == ports::ChainHead{*hash, BlockNumber(height)});
  const auto header = ports::find_block(*newcomer.node.store, *hash)->header;
  std::map<Bytes, Bytes> state;
  newcomer.node.store->scan(Column::state, {}, [&](ByteView key, ByteView value) {
    return state.emplace(to_bytes(key), to_bytes(value)), true;
  });
  CHECK(tree::state_root(state) == header.state_root);
}

TEST_CASE("snapshot sync: from several honest peers at once, all of which serve") {
  Newcomer newcomer(shared_server());
  for (std::uint8_t name = 1; name <= 3; ++name) newcomer.add(name, Manner::honest);
  CHECK(newcomer.run().installed);
  check_joined(newcomer, 30);
  CHECK(newcomer.dropped.empty());
  for (std::uint8_t name = 1; name <= 3; ++name) CHECK(newcomer.parts_of[peer(name)] > 0);
}

// Shown to fail: with the hashes of leaves, or the epoch proofs, unchecked.
TEST_CASE("snapshot sync: whoever lies is dropped, and one honest peer is enough") {
  Newcomer newcomer(shared_server());
  newcomer.add(1, Manner::wrong_proof);
  newcomer.add(2, Manner::wrong_part);
  newcomer.add(3, Manner::silent);
  newcomer.add(4, Manner::lacks);
  newcomer.add(5, Manner::wrong_block);
  newcomer.add(6, Manner::honest);
  CHECK(newcomer.run().installed);
  check_joined(newcomer, 30);
  CHECK(newcomer.alarms.empty());
  CHECK(newcomer.dropped.size() >= 2);
  for (const PeerId& gone : newcomer.dropped) CHECK(gone.bytes[0] != 6);
}

// Shown to fail: with the hash of an inner node, of a leaf, of the block or of its body unchecked.
TEST_CASE("snapshot sync: who is asked first and lies is dropped, whatever it lies about") {
  for (const Manner manner : {Manner::wrong_part, Manner::wrong_node, Manner::wrong_proof,
                              Manner::wrong_body, Manner::wrong_block}) {
    INFO("manner " << static_cast<int>(manner));
    Newcomer newcomer(shared_server());
    newcomer.add(1, manner);
    newcomer.add(2, Manner::honest);
    CHECK(newcomer.run().installed);
    check_joined(newcomer, 30);
    CHECK(newcomer.dropped == std::vector<PeerId>{peer(1)});
    CHECK(newcomer.alarms.empty());
  }
}

// Shown to fail: with an answer taken from whoever gives it, or whatever it is that was asked.
TEST_CASE("snapshot sync: what was not asked, or of another, is worth nothing and costs nothing") {
  for (const std::size_t after : {0u, 1u, 3u, 6u}) {
    INFO("after " << after << " requests");
    Newcomer newcomer(shared_server());
    newcomer.add(1, Manner::honest);
    newcomer.add(2, Manner::honest);
    if (after > 0) CHECK_FALSE(newcomer.run(after).installed);
    EpochProof proof = *ports::find_epoch_proof(*shared_server().node.store, Epoch(1));
    proof.header.state_root.bytes[0] ^= 1;
    EpochProofsReply lie;
    REQUIRE(lie.proofs.push_back(proof));
    const Instant now(newcomer.now);
    for (std::uint8_t name = 1; name <= 2; ++name) {
      const bool asked = after < 3 && name == 1;  // for proofs
      if (!asked) newcomer.sync->on_reply(peer(name), lie, now);
      newcomer.sync->on_reply(peer(name), RangeReply{}, now);
      newcomer.sync->on_pruned(peer(name));
    }
    newcomer.sync->peer_head(peer(3), BlockNumber(0));  // it is asked for nothing
    for (std::uint32_t id = 0; id < 20; ++id) {
      SubtreesReply parts{id, {}};
      REQUIRE(parts.parts.push_back(ports::SubtreeNode{Bytes{1}}));
      newcomer.sync->on_reply(peer(3), parts, now);
    }
    CHECK(newcomer.run().installed);
    check_joined(newcomer, 30);
    CHECK(newcomer.dropped.empty());
    for (std::uint8_t name = 1; name <= 2; ++name) CHECK(newcomer.parts_of[peer(name)] > 0);
  }
}

// Shown to fail where what was proved already is taken for a bad proof.
TEST_CASE("snapshot sync: an answer that comes late is not a lie") {
  Newcomer newcomer(shared_server());
  newcomer.add(1, Manner::honest);
  newcomer.sync->peer_head(peer(1), BlockNumber(44));
  CHECK_FALSE(newcomer.run(2).installed);  // three proofs came, and a fourth is asked for
  EpochProofsReply proofs;
  REQUIRE(proofs.proofs.push_back(*ports::find_epoch_proof(*shared_server().node.store, Epoch(1))));
  newcomer.sync->on_reply(peer(1), proofs, Instant(newcomer.now));
  while (!newcomer.asked_for_block) {
    REQUIRE_FALSE(newcomer.run(newcomer.requests + 1).installed);
  }
  const auto hash = ports::find_final(*shared_server().node.store, BlockNumber(20));
  RangeReply block;
  REQUIRE(block.blocks.push_back(*ports::find_block(*shared_server().node.store, *hash)));
  newcomer.sync->on_reply(peer(1), block, Instant(newcomer.now));
  CHECK(newcomer.run().installed);
  CHECK(newcomer.dropped.empty());
}

TEST_CASE("snapshot sync: interrupted anywhere it goes on, and asks for nothing twice") {
  std::size_t all = 0;
  {
    Newcomer newcomer(shared_server());
    newcomer.add(1, Manner::honest);
    CHECK(newcomer.run().installed);
    all = newcomer.requests;
  }
  REQUIRE(all > 9);
  for (std::size_t stop = 1; stop < all; stop += 3) {
    Newcomer newcomer(shared_server());
    newcomer.add(1, Manner::honest);
    CHECK_FALSE(newcomer.run(stop).installed);
    newcomer.begin();  // as after a restart: nothing but the store is left
    CHECK(newcomer.run().installed);
    check_joined(newcomer, 30);
    CHECK(newcomer.requests <= all + 6);  // those that were on their way, and the proofs' end
  }
}

TEST_CASE("snapshot sync: peers without the target lead to a newer one, with what is staged") {
  Server server;
  server.grow(14);
  Newcomer newcomer(server);
  newcomer.add(1, Manner::honest);
  // Another newcomer has nothing to serve yet. Shown to fail where it counts as one who may.
  newcomer.sync->peer_head(peer(9), BlockNumber(3));
  CHECK_FALSE(newcomer.run(6).installed);
  CHECK(newcomer.sync->target() == BlockNumber(10));
  server.grow(30);  // the state at 10 is gone
  CHECK(newcomer.run().installed);
  check_joined(newcomer, 40);
}

TEST_CASE("snapshot sync: nobody who proves an epoch, nothing to do") {
  Newcomer newcomer(shared_server());
  newcomer.add(1, Manner::wrong_proof);
  CHECK(newcomer.run().nothing_to_do);
  CHECK(newcomer.node.head().number == BlockNumber(0));
}

// Shown to fail: with is_trusted() always true.
TEST_CASE("snapshot sync: a chain without the trusted block is not taken") {
  Server& server = shared_server();
  const auto hash = ports::find_final(*server.node.store, BlockNumber(20));
  Newcomer with(server);
  with.add(1, Manner::honest);
  with.begin(ports::ChainHead{*hash, BlockNumber(20)});
  CHECK(with.run().installed);
  Newcomer without(server);
  without.add(1, Manner::honest);
  without.begin(ports::ChainHead{Hash{}, BlockNumber(20)});
  CHECK(without.run().nothing_to_do);
  CHECK_FALSE(without.alarms.empty());
  // Proofs that were taken before the operator named a block.
  Newcomer later(server);
  later.add(1, Manner::honest);
  CHECK_FALSE(later.run(3).installed);
  later.begin(ports::ChainHead{Hash{}, BlockNumber(20)});
  CHECK(later.run().nothing_to_do);
  CHECK(later.alarms.size() == 2);  // for what was there, and for what came
  Newcomer ahead(server);
  ahead.add(1, Manner::honest);
  ahead.begin(ports::ChainHead{*hash, BlockNumber(40)});
  CHECK(ahead.run().nothing_to_do);
}

void check_proofs(const Newcomer& newcomer, std::uint64_t up_to) {
  for (Epoch epoch(1); epoch.value <= up_to; epoch = epoch.next()) {
    const auto proof = ports::find_epoch_proof(*newcomer.node.store, epoch);
    const auto right = ports::find_epoch_proof(*newcomer.server_.node.store, epoch);
    REQUIRE(proof);
    CHECK(block_hash(proof->header) == block_hash(right->header));
  }
  CHECK_FALSE(ports::find_epoch_proof(*newcomer.node.store, Epoch(up_to + 1)));
}

// Shown to fail: with the proofs of one peer continued by another, and with forget_proofs() empty.
TEST_CASE("snapshot sync: what another chain's old keys prove gives way to the trusted block") {
  Server& server = shared_server();
  const auto hash = ports::find_final(*server.node.store, BlockNumber(30));
  const ports::ChainHead trusted{*hash, BlockNumber(30)};
  for (const std::uint64_t up_to : {1U, 2U, 3U}) {
    INFO("proved up to " << up_to);
    Newcomer newcomer(server);
    newcomer.other_up_to = Epoch(up_to);
    newcomer.begin(trusted);
    newcomer.add(1, Manner::other_chain);
    newcomer.add(2, Manner::honest);
    CHECK(newcomer.run().installed);
    check_joined(newcomer, 30);
    check_proofs(newcomer, 3);
    CHECK(newcomer.alarms.size() == (up_to == 3 ? 1 : 0));
    CHECK(newcomer.dropped.size() == newcomer.alarms.size());
  }
  // The operator names the block when it is too late.
  Newcomer later(server);
  later.add(1, Manner::other_chain);
  CHECK_FALSE(later.run(2).installed);
  later.peers.clear();
  later.begin(trusted);
  later.add(2, Manner::honest);
  CHECK(later.run().installed);
  check_proofs(later, 3);
  CHECK(later.alarms.size() == 1);
  CHECK(later.dropped.empty());
}

// Shown to fail: with the first that may prove asked again and again.
TEST_CASE("snapshot sync: who stops proving in turns does not keep others from theirs") {
  Server& server = shared_server();
  const auto hash = ports::find_final(*server.node.store, BlockNumber(30));
  Newcomer newcomer(server);
  newcomer.other_up_to = Epoch(2);
  newcomer.begin(ports::ChainHead{*hash, BlockNumber(30)});
  newcomer.add(1, Manner::stops);
  newcomer.add(2, Manner::stops);
  newcomer.add(3, Manner::honest);
  CHECK(newcomer.run().installed);
  check_joined(newcomer, 30);
  CHECK(newcomer.dropped.empty());
}

// Shown to fail: with another asked at once.
TEST_CASE("snapshot sync: who has proved much and misses an answer is asked again") {
  Server& server = shared_server();
  const auto hash = ports::find_final(*server.node.store, BlockNumber(30));
  Newcomer newcomer(server);
  newcomer.proofs_max = 1;
  newcomer.lost = 2;
  newcomer.begin(ports::ChainHead{*hash, BlockNumber(30)});
  newcomer.add(1, Manner::honest);
  newcomer.add(2, Manner::honest);
  CHECK(newcomer.run().installed);
  REQUIRE(newcomer.proofs_asked.size() >= 4);
  newcomer.proofs_asked.resize(4);
  CHECK(newcomer.proofs_asked ==
        std::vector<std::pair<unsigned, std::uint64_t>>{{1, 1}, {1, 2}, {1, 2}, {1, 3}});
}

// Shown to fail: with all proofs forgotten, those of the own chain too.
TEST_CASE("snapshot sync: the proofs of the chain that is here are kept") {
  Server& server = shared_server();
  const auto hash = ports::find_final(*server.node.store, BlockNumber(30));
  Newcomer newcomer(server);
  for (std::uint32_t height = 1; height <= kEpoch; ++height) {
    const auto here = ports::find_final(*server.node.store, BlockNumber(height));
    const Block block = *ports::find_block(*server.node.store, *here);
    REQUIRE(newcomer.node.execute(block).valid);
    newcomer.node.commit({block});
  }
  const auto first = ports::find_epoch_proof(*server.node.store, Epoch(1));
  newcomer.node.store->write({ports::put_epoch_proof(Epoch(1), *first)},
                             ports::Durability::buffered);
  newcomer.begin(ports::ChainHead{*hash, BlockNumber(30)});
  newcomer.add(1, Manner::other_chain);
  CHECK(newcomer.run().nothing_to_do);
  CHECK_FALSE(newcomer.alarms.empty());
  check_proofs(newcomer, 1);
}

// Shown to fail: with the head taken once, when the sync begins.
TEST_CASE("snapshot sync: a state that the head has come to meanwhile is not fetched further") {
  for (const bool all_staged : {false, true}) {
    Newcomer newcomer(shared_server());
    newcomer.add(1, Manner::honest);
    CHECK_FALSE(newcomer.run(4).installed);
    while (all_staged && !newcomer.asked_for_block) {
      REQUIRE_FALSE(newcomer.run(newcomer.requests + 1).installed);
    }
    REQUIRE(newcomer.sync->target() == BlockNumber(30));
    for (int i = 0; i < 30; ++i) newcomer.node.advance();
    const auto head = newcomer.node.head();
    const std::size_t requests = newcomer.requests;
    CHECK(newcomer.run().nothing_to_do);
    CHECK(newcomer.requests == requests);
    CHECK(newcomer.node.head() == head);
  }
}

}  // namespace
}  // namespace tally::core
