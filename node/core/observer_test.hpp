// An observer's whole core over a real pool and state, with peers that are nobody. Signature checks
// wait until the test answers them.
#pragma once

#include <catch2/catch.hpp>

#include "genesis/dev_keys.hpp"
#include "node/core/node_core.hpp"
#include "node/execution/snapshots.hpp"
#include "node/ports/chain.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::core {

using tests::ChainNode;
using tests::dev;
using tests::transfer;

struct StoppedClock final : ports::Clock {
  ports::Moment moment{Instant(1'000'000), TimestampMs(1'800'000'000'000)};
  ports::Moment now() const override { return moment; }
};

struct RecordedNetwork final : ports::Network {
  std::map<PeerId, std::vector<Bytes>> gossiped;              // extrinsics, by receiver
  std::map<PeerId, std::map<std::string, std::size_t>> sent;  // other messages, by their names
  std::map<PeerId, std::string> dropped;
  std::size_t frames = 0;
  void send(const PeerId& to, ports::Channel channel, Bytes frame) override {
    const auto message = decode<WireMessage>(frame);
    REQUIRE(message.ok());
    if (channel != ports::Channel::transactions) {
      const auto* inner = std::get_if<ConsensusFrame>(&*message);
      const auto name = [](const auto& one) { return std::string(one.kName); };
      ++sent[to][inner != nullptr ? std::visit(name, inner->envelope.message)
                                  : std::visit(name, *message)];
      return;
    }
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

inline PeerId peer(std::uint8_t number) {
  PeerId out;
  out.bytes.fill(number);
  return out;
}

struct ObserverOptions {
  std::uint32_t blocks = 0;  // final before it starts
  txpool::Limits pool = {};
  std::optional<SyncMode> sync{};  // it can take snapshots
  const ports::KeyHolder* signer = nullptr;
};

struct Observer {
  ChainNode node;
  execution::Snapshots snapshots{*node.store, [this] { node.app->reload(); }};
  StoppedClock clock;
  RecordedNetwork network;
  WaitingVerifier verifier;
  std::unique_ptr<ports::VoteLog> log = node.disk.vote_log();
  std::unique_ptr<ports::HighWaterFile> high_water = node.disk.high_water();
  std::unique_ptr<NodeCore> core;

  explicit Observer(const ObserverOptions& options = {})
      : node(ChainNode::dev_spec(), {.retention = {}, .limits = options.pool}) {
    if (options.blocks > 0) {
      const Hash beacon = node.app->beacon(node.genesis_hash());
      node.store->write({ports::put_epoch_beacon(Epoch(1), beacon)}, ports::Durability::synced);
    }
    for (std::uint32_t i = 0; i < options.blocks; ++i) node.advance();
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
    ports.signer = options.signer;
    if (options.sync) {
      ports.snapshots = &snapshots;
      ports.sync.mode = *options.sync;
    }
    core = std::make_unique<NodeCore>(std::move(chain), peer(0), ports);
    for (std::uint8_t i = 1; i <= 3; ++i) core->on_peer_up(peer(i));
  }
  Bytes pay(const std::string& from, std::uint32_t nonce) const {
    return node.sign(dev(from), transfer(dev("Alice"), 1'000), {.nonce = nonce});
  }
  void hear(const PeerId& from, const WireMessage& message) {
    core->on_frame(from, encode(message));
  }
  void gossip(const PeerId& from, const std::vector<Bytes>& extrinsics) {
    hear(from, Transactions{*decltype(Transactions::extrinsics)::from(extrinsics)});
  }
  Status status(std::uint32_t height = 0) const {
    Status out;
    out.genesis_hash = node.genesis_hash();
    out.head.number = BlockNumber(height);
    return out;
  }
  // As the development validator of that name.
  void claim(const PeerId& from, std::string_view name, bool holds = true) {
    const Secret secret = genesis::dev_validator_secrets(name).consensus;
    Status said = status();
    said.claim = ValidatorClaim{
        ed25519_public(secret),
        ed25519_sign(secret, claim_bytes(node.genesis_hash(), from, holds ? peer(0) : peer(9)))};
    hear(from, said);
  }
  std::size_t waiting() const {
    std::size_t out = 0;
    for (const auto& [ticket, jobs] : verifier.waiting) out += jobs.size();
    return out;
  }
  void answer_checks() {
    for (const auto& [ticket, jobs] : std::exchange(verifier.waiting, {})) {
      core->on_signatures_checked(ticket, verifier.check(jobs));
    }
  }
};

}  // namespace tally::core
