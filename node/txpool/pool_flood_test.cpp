// What a flood can do to the pool: of large transactions, of one peer's, of other nodes' against
// those of this node's clients, of signatures that wait to be checked, of what nobody can pay for.
#include <catch2/catch.hpp>

#include "modules/channels/signing.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"
#include "node/txpool/pool.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::txpool {
namespace {

using ports::PoolSource;
using ports::PoolVerdict;
using ports::RejectCode;
using tests::ChainNode;
using tests::dev;
using tests::transfer;

const std::vector<std::string> kNames{"Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"};

Bytes pay(const ChainNode& node, const std::string& from, std::uint32_t nonce, u128 tip = 0) {
  return node.sign(dev(from), transfer(dev("Alice"), 1'000), {.nonce = nonce, .tip = tip});
}
// Pays for its bytes, and far more for its weight than a transfer does.
Bytes remark(const ChainNode& node, const std::string& from, std::uint32_t nonce) {
  const runtime::RuntimeCall call = runtime::SystemCall{system::Remark{Bytes(100'000)}};
  return node.sign(dev(from), call, {.nonce = nonce});
}
ports::PeerId peer(std::uint8_t number) {
  ports::PeerId out;
  out.bytes.fill(number);
  return out;
}
ChainNode node_with(const Limits& limits) {
  return ChainNode(ChainNode::dev_spec(), {.limits = limits});
}

TEST_CASE("pool: large transactions do not push small ones out that pay more for each byte") {
  ChainNode node = node_with({100, 450'000, 256});
  std::vector<Hash> small;
  for (std::uint32_t i = 0; i < 10; ++i) {
    small.push_back(node.submit(pay(node, "Bob", i), PoolSource::gossip).hash);
  }
  std::size_t accepted = 0;
  for (std::uint32_t i = 0; i < 8; ++i) {
    const auto answer = node.submit(remark(node, "Eve", i), PoolSource::gossip);
    accepted += answer.verdict == PoolVerdict::accepted ? 1 : 0;
  }
  CHECK(accepted == 4);
  for (const Hash& hash : small) CHECK(node.pool->contains(hash));
  // And a small one takes the place of a large one when there is no room.
  for (std::uint32_t i = 0; i < 200; ++i) node.submit(pay(node, "Dave", i), PoolSource::gossip);
  CHECK(node.pool->size() > 90);
  CHECK(node.pool->bytes() <= 450'000);
}

TEST_CASE("pool: one peer fills a quarter of it and no more, until its transactions are final") {
  ChainNode node = node_with({40, 1 << 20, 256});
  std::size_t accepted = 0;
  for (std::uint32_t i = 0; i < 30; ++i) {
    const auto answer = node.submit(pay(node, "Bob", i), PoolSource::of(peer(1)));
    accepted += answer.verdict == PoolVerdict::accepted ? 1 : 0;
    if (answer.verdict == PoolVerdict::refused) CHECK(answer.code == RejectCode::pool_full);
  }
  CHECK(accepted == 10);
  CHECK(node.submit(pay(node, "Eve", 0), PoolSource::of(peer(2))).verdict == PoolVerdict::accepted);
  CHECK(node.submit(pay(node, "Dave", 0), PoolSource::gossip).verdict == PoolVerdict::accepted);
  CHECK(node.submit(pay(node, "Ferdie", 0)).verdict == PoolVerdict::accepted);
  node.advance();
  REQUIRE(node.pool->size() == 0);
  CHECK(node.submit(pay(node, "Bob", 10), PoolSource::of(peer(1))).verdict ==
        PoolVerdict::accepted);
}

TEST_CASE("pool: what this node's clients sent stays, within its part") {
  ChainNode node = node_with({16, 1 << 20, 256});
  const Hash first = node.submit(pay(node, "Bob", 0)).hash;
  const Hash second = node.submit(pay(node, "Bob", 1)).hash;
  const Hash third = node.submit(pay(node, "Bob", 2)).hash;  // above an eighth
  for (const char* name : {"Charlie", "Dave", "Eve"}) {
    for (std::uint32_t i = 0; i < 10; ++i) {
      node.submit(pay(node, name, i, 50'000'000), PoolSource::gossip);
    }
  }
  CHECK(node.pool->size() == 16);
  CHECK(node.pool->contains(first));
  CHECK(node.pool->contains(second));
  CHECK_FALSE(node.pool->contains(third));
}

TEST_CASE("pool: bytes whose signatures are being checked are bounded") {
  ChainNode node = node_with({1'000, 500'000, 256});
  std::size_t asked = 0;
  for (std::uint32_t i = 0; i < 8; ++i) {
    const auto answer = node.pool->offer(remark(node, "Eve", i), PoolSource::gossip);
    asked += answer.verdict == PoolVerdict::check_signature ? 1 : 0;
  }
  CHECK(asked == 2);
}

constexpr u128 kCredits = 1'000'000;

u128 free_of(const ChainNode& node, const std::string& name) {
  return credits::free_balance(*node.final_state, dev(name).account()).micro;
}
// Leaves the account so much, less the fee.
Bytes spend(const ChainNode& node, const std::string& from, u128 leave) {
  return node.sign(dev(from), transfer(dev("Alice"), free_of(node, from) - leave), {});
}
std::vector<Hash> selected(const ChainNode& node, const Hash& parent) {
  const auto state = node.app->state_after(parent);
  REQUIRE(state.has_value());
  const ports::BlockRoom room{.weight = Weight(~std::uint64_t{0}), .bytes = 1 << 20};
  std::vector<Hash> out;
  for (const auto* one : node.pool->select({*state, parent}, room)) out.push_back(one->tx().hash);
  CHECK(node.app->has_ready(parent) == !out.empty());
  return out;
}

// Fails where each is checked alone against the whole balance, and where the one that is
// replaced is counted too.
TEST_CASE("pool: all that waits of an account is no more than it can spend") {
  ChainNode node(ChainNode::dev_spec());
  const u128 half = free_of(node, "Eve") / 2;
  REQUIRE(node.submit(pay(node, "Eve", 0, half)).verdict == PoolVerdict::accepted);
  const auto refused = node.submit(pay(node, "Eve", 1, half));
  CHECK(refused.verdict == PoolVerdict::refused);
  CHECK(refused.code == RejectCode::cannot_pay);
  CHECK(refused.reason.find("together") != std::string::npos);
  CHECK(node.submit(pay(node, "Eve", 0, half + half / 2)).verdict == PoolVerdict::accepted);
  CHECK(node.submit(pay(node, "Eve", 1, half / 4)).verdict == PoolVerdict::accepted);
  CHECK(node.submit(pay(node, "Eve", 2, half / 4)).code == RejectCode::cannot_pay);
  // What is final leaves room for others.
  node.advance();
  REQUIRE(node.pool->size() == 0);
  CHECK(node.submit(pay(node, "Eve", 2, half / 8)).verdict == PoolVerdict::accepted);
  // What was being checked while another came in is looked at again.
  const auto both = free_of(node, "Bob") / 2;
  const auto first = node.pool->offer(pay(node, "Bob", 0, both), PoolSource::gossip);
  const auto second = node.pool->offer(pay(node, "Bob", 1, both), PoolSource::gossip);
  REQUIRE(second.verdict == PoolVerdict::check_signature);
  CHECK(node.pool->settle(first.hash, true).verdict == PoolVerdict::accepted);
  CHECK(node.pool->settle(second.hash, true).code == RejectCode::cannot_pay);
}

// Fails where select() does not look at the balance, where only the nonce is looked at when
// blocks become final, and where only accounts of transactions that were waiting here are.
TEST_CASE("pool: what an account can no longer pay for is neither selected nor kept") {
  ChainNode node(ChainNode::dev_spec());
  ChainNode other(ChainNode::dev_spec());
  const bool known = GENERATE(true, false);
  const Bytes first = spend(node, "Eve", 100 * kCredits);
  if (known) node.submit(first);
  std::vector<Hash> later;
  for (std::uint32_t nonce = 1; nonce <= 4; ++nonce) {
    later.push_back(node.submit(pay(node, "Eve", nonce, 60 * kCredits)).hash);
  }
  const Hash honest = node.submit(pay(node, "Bob", 0)).hash;
  REQUIRE(node.pool->size() == (known ? 6 : 5));

  other.submit(first);
  const Block block = other.advance();
  REQUIRE(block.extrinsics.size() == 1);
  REQUIRE(node.execute(block).valid);
  const Hash hash = block_hash(block.header);
  CHECK(selected(node, hash) == std::vector<Hash>{later[0], honest});

  node.pool->take_events();
  node.commit({block});
  CHECK(node.pool->size() == 2);
  CHECK(selected(node, hash) == std::vector<Hash>{later[0], honest});
  std::vector<Hash> told;
  for (const Event& event : node.pool->take_events()) {
    const auto* rejected = std::get_if<ports::TxRejected>(&event.status);
    REQUIRE(rejected != nullptr);
    CHECK(rejected->why.code == RejectCode::cannot_pay);
    told.push_back(event.extrinsic);
  }
  CHECK(told == std::vector<Hash>(later.begin() + 1, later.end()));
}

// Fails where a nonce that fits is enough for has_ready().
TEST_CASE("pool: an account without anything left makes no block ready") {
  ChainNode node(ChainNode::dev_spec());
  ChainNode other(ChainNode::dev_spec());
  const auto all = runtime::CreditsCall{credits::TransferAll{AddressId{dev("Bob").account()}}};
  const Bytes first = node.sign(dev("Eve"), all, {});
  for (std::uint32_t nonce = 1; nonce <= 9; ++nonce) node.submit(pay(node, "Eve", nonce, kCredits));
  REQUIRE(node.pool->size() == 9);
  other.submit(first);
  const Block block = other.advance();
  REQUIRE(node.execute(block).valid);
  CHECK(selected(node, block_hash(block.header)).empty());
  node.commit({block});
  CHECK(node.pool->size() == 0);
}

// Bob claims that all of a channel is his. Eve has nothing but what is hers in it.
struct Quarrel {
  ChainNode node{ChainNode::dev_spec()};
  const KeyPair bob = dev("Bob");
  const KeyPair eve = dev("Eve");
  static constexpr DurationMs kPeriod{10'000};
  const ChannelId id =
      channels::channel_id_of({node.genesis_hash(), bob.account(), eve.account(), 0, kPeriod});
  std::vector<Block> blocks;

  Quarrel() {
    const Compact<Balance> deposit{Balance(100 * kCredits)};
    include(bob, channels::Open{eve.account(), deposit, {}, std::nullopt, kPeriod}, 0);
    include(bob, channels::CloseUnilateral{id, update(1, 0)}, 1);
    const auto all = runtime::CreditsCall{credits::TransferAll{AddressId{bob.account()}}};
    REQUIRE(node.submit(node.sign(eve, all, {})).verdict == PoolVerdict::accepted);
    blocks.push_back(node.advance());
    REQUIRE(free_of(node, "Eve") == 0);
    REQUIRE(exists());
  }
  bool exists() const { return channels::kChannels.contains(*node.final_state, id); }
  void include(const KeyPair& key, const channels::Call& call, std::uint32_t nonce) {
    const Bytes bytes = node.sign(key, runtime::ChannelsCall{call}, {.nonce = nonce});
    REQUIRE(node.submit(bytes).verdict == PoolVerdict::accepted);
    blocks.push_back(node.advance());
  }
  channels::CoSignedState update(std::uint64_t version, u128 to_eve = 40 * kCredits) const {
    channels::ChannelState state;
    state.channel_id = id;
    state.version = ChannelVersion(version);
    state.balance_a = Balance(100 * kCredits - to_eve);
    state.balance_b = Balance(to_eve);
    const Bytes bytes = channels::update_bytes(state);
    return {state, bob.sign(bytes), eve.sign(bytes)};
  }
  Bytes refute(const channels::CoSignedState& update, std::uint32_t nonce) const {
    const channels::Refute call{update, std::nullopt};
    return node.sign(eve, runtime::ChannelsCall{call}, {.nonce = nonce});
  }
};

// Fails where the fee is asked for before the signature is checked.
TEST_CASE(
    "pool: signatures within a refutation are checked after its own, and only once it holds") {
  Quarrel quarrel;
  ChainNode& node = quarrel.node;
  auto forged = quarrel.update(2);
  forged.signature_b = forged.signature_a;
  const Bytes bytes = quarrel.refute(forged, 1);
  for (int time = 0; time < 2; ++time) {  // nor is it taken for good the second time
    INFO("time " << time);
    const auto answer = node.pool->offer(bytes, PoolSource::gossip);
    REQUIRE(answer.verdict == PoolVerdict::check_signature);
    const auto settled = node.pool->settle(answer.hash, true);
    CHECK(settled.verdict == PoolVerdict::invalid);
    CHECK(settled.code == RejectCode::cannot_pay);
  }
  CHECK(node.pool->size() == 0);
  REQUIRE(node.submit(quarrel.refute(quarrel.update(2), 1)).verdict == PoolVerdict::accepted);
  CHECK(selected(node, node.head().hash).size() == 1);
  CHECK(node.advance().extrinsics.size() == 1);
}

// Fails without the bound, and where it does not come back.
TEST_CASE("pool: no more than 256 refutations that would owe their fee are checked at a time") {
  Quarrel quarrel;
  ChainNode& node = quarrel.node;
  auto update = quarrel.update(2);
  std::vector<Hash> asked;
  for (std::uint32_t i = 0; i < 300; ++i) {
    update.state.receipts_count = i;  // its signatures hold for 0
    const auto answer = node.pool->offer(quarrel.refute(update, 1), PoolSource::gossip);
    if (answer.verdict == PoolVerdict::check_signature) asked.push_back(answer.hash);
  }
  CHECK(asked.size() == 256);
  CHECK(node.pool->offer(pay(node, "Charlie", 0), PoolSource::gossip).verdict ==
        PoolVerdict::check_signature);
  for (const Hash& hash : asked) node.pool->settle(hash, false);
  CHECK(node.submit(quarrel.refute(quarrel.update(3), 1)).verdict == PoolVerdict::accepted);
}

// Fails where a refutation that owes is kept unseen.
TEST_CASE("pool: a refutation that would owe its fee goes when its channel is settled") {
  Quarrel quarrel;
  ChainNode other(ChainNode::dev_spec());
  ChainNode& node = quarrel.node;
  for (const Block& block : quarrel.blocks) {
    REQUIRE(other.execute(block).valid);
    other.commit({block});
  }
  REQUIRE(node.submit(quarrel.refute(quarrel.update(2), 1)).verdict == PoolVerdict::accepted);
  for (int i = 0; i < 20 && quarrel.exists(); ++i) {
    CHECK(node.pool->size() == 1);
    const Block block = other.build({.parent = other.head().hash, .step_ms = 3'900});
    other.commit({block});
    REQUIRE(node.execute(block).valid);
    node.commit({block});
  }
  REQUIRE_FALSE(quarrel.exists());
  CHECK(node.pool->size() == 0);
  CHECK_FALSE(node.app->has_ready(node.head().hash));
}

}  // namespace
}  // namespace tally::txpool
