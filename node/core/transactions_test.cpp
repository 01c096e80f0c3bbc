// Gossip as a flood sees it: an observer's whole core over a real pool and state, with peers that
// are nobody. Signature checks wait until the test answers them.
#include <catch2/catch.hpp>

#include "node/core/node_core.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::core {
namespace {

using tests::ChainNode;
using tests::dev;
using tests::transfer;

struct StoppedClock final : ports::Clock {
  ports::Moment moment{Instant(1'000'000), TimestampMs(1'800'000'000'000)};
  ports::Moment now() const override { return moment; }
};

struct RecordedNetwork final : ports::Network {
  std::map<PeerId, std::vector<Bytes>> gossiped;  // extrinsics, by receiver
  std::map<PeerId, std::string> dropped;
  std::size_t frames = 0;
  void send(const PeerId& to, ports::Channel channel, Bytes frame) override {
    const auto message = decode<WireMessage>(frame);
    REQUIRE(message.ok());
    if (channel != ports::Channel::transactions) return;
    ++frames;
    for (const Bytes& one : std::get<Transactions>(*message).extrinsics) {
      gossiped[to].push_back(one);
    }
  }
  void disconnect(const PeerId& peer, std::string_view reason) override {
    dropped[peer] = std::string(reason);
  }
};

struct WaitingVerifier final : tests::CountingVerifier {
  std::map<std::uint64_t, std::vector<ports::SignatureJob>> waiting;
  void check_later(std::uint64_t ticket, std::vector<ports::SignatureJob> jobs) override {
    waiting[ticket] = std::move(jobs);
  }
};

PeerId peer(std::uint8_t number) {
  PeerId out;
  out.bytes.fill(number);
  return out;
}

struct Observer {
  ChainNode node{ChainNode::dev_spec()};
  StoppedClock clock;
  RecordedNetwork network;
  WaitingVerifier verifier;
  std::unique_ptr<ports::VoteLog> log = node.disk.vote_log();
  std::unique_ptr<ports::HighWaterFile> high_water = node.disk.high_water();
  std::unique_ptr<NodeCore> core;

  Observer() {
    consensus::ChainSetup chain;
    const auto spec = ChainNode::dev_spec();
    chain.genesis_hash = node.genesis_hash();
    chain.genesis = node.genesis().header;
    chain.genesis_time = spec.genesis_time;
    for (const Validator& one : spec.validators) REQUIRE(chain.first.members.push_back(one));
    chain.second = chain.first;
    chain.parameters = {spec.consensus.delta,           spec.blocks.min_block_interval,
                        spec.blocks.idle_interval,      spec.consensus.max_drift,
                        spec.consensus.epoch_length,    spec.blocks.block_bytes_max,
                        spec.blocks.extrinsic_bytes_max};
    CorePorts ports;
    ports.clock = &clock;
    ports.network = &network;
    ports.store = node.store.get();
    ports.vote_log = log.get();
    ports.high_water = high_water.get();
    ports.application = node.app.get();
    ports.pool = node.pool.get();
    ports.verifier = &verifier;
    core = std::make_unique<NodeCore>(std::move(chain), peer(0), ports);
    for (std::uint8_t i = 1; i <= 3; ++i) core->on_peer_up(peer(i));
  }
  Bytes pay(const std::string& from, std::uint32_t nonce) const {
    return node.sign(dev(from), transfer(dev("Alice"), 1'000), {.nonce = nonce});
  }
  void gossip(const PeerId& from, const std::vector<Bytes>& extrinsics) {
    core->on_frame(
        from,
        encode(WireMessage(Transactions{*decltype(Transactions::extrinsics)::from(extrinsics)})));
  }
  void answer_checks() {
    for (const auto& [ticket, jobs] : std::exchange(verifier.waiting, {})) {
      core->on_signatures_checked(ticket, verifier.check(jobs));
    }
  }
};

TEST_CASE("a peer that passes on a bad signature is dropped, and nobody hears of it") {
  Observer o;
  Bytes bad = o.pay("Bob", 0);
  bad[50] ^= 1;  // within the signature
  o.gossip(peer(1), {bad, o.pay("Charlie", 0)});
  o.answer_checks();
  o.core->end_turn();
  CHECK(o.network.dropped.at(peer(1)) == "a transaction with a bad signature");
  CHECK(o.node.pool->size() == 1);
  CHECK(o.network.gossiped[peer(2)].size() == 1);
}

TEST_CASE("useless transactions are looked at for so long, and again after a while") {
  Observer o;
  std::vector<Bytes> unpaid;
  for (std::uint32_t i = 0; i < 64; ++i) unpaid.push_back(o.pay("nobody", i));
  std::uint32_t nonce = 0;
  const auto hears = [&](std::uint8_t from) {
    o.gossip(peer(from), {o.pay("Eve", nonce++)});
    const bool heard = !o.verifier.waiting.empty();
    o.answer_checks();
    return heard;
  };
  for (int i = 0; i < 200; ++i) o.gossip(peer(1), unpaid);
  REQUIRE(hears(1));
  for (int i = 0; i < 200; ++i) o.gossip(peer(1), unpaid);
  CHECK_FALSE(hears(1));
  CHECK(hears(2));  // somebody else's level
  o.clock.moment.instant = o.clock.moment.instant + DurationMs(10'000);
  CHECK(hears(1));
  CHECK(o.network.dropped.empty());
}

TEST_CASE("however many transactions one turn accepts, all of them are passed on") {
  Observer o;
  std::vector<Bytes> all;
  for (const char* from : {"Bob", "Charlie", "Dave"}) {
    for (std::uint32_t i = 0; i < 200; ++i) all.push_back(o.pay(from, i));
  }
  for (const Bytes& one : all) o.core->submit(one, {});
  o.answer_checks();
  o.core->end_turn();
  CHECK(o.network.gossiped[peer(1)] == all);
  CHECK(o.network.frames == 3 * 3);
}

TEST_CASE("a frame of more transactions than are handled at a stretch does not decode") {
  Observer o;
  const std::vector<Bytes> many(kMaxGossip + 1, Bytes{1});
  Bytes frame{Transactions::kIndex};
  append(frame, encode(many));
  o.core->on_frame(peer(1), frame);
  CHECK(o.network.dropped.contains(peer(1)));
}

}  // namespace
}  // namespace tally::core
