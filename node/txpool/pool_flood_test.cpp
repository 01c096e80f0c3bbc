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
  // In the place of its own there is room.
  CHECK(node.submit(pay(node, "Bob", 9, 5'000'000), PoolSource::of(peer(1))).verdict ==
        PoolVerdict::accepted);
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

// Fails where what has the nonce of another is not compared with what goes for it.
TEST_CASE(
    "pool: what replaces a small transaction pushes nothing out that pays more for each byte") {
  ChainNode node = node_with({100, 250'000, 256});
  std::vector<Hash> small;
  for (std::uint32_t i = 0; i < 15; ++i) {
    small.push_back(node.submit(pay(node, "Bob", i), PoolSource::gossip).hash);
  }
  const Hash large = node.submit(remark(node, "Eve", 0), PoolSource::gossip).hash;
  REQUIRE(node.submit(remark(node, "Eve", 1), PoolSource::gossip).verdict == PoolVerdict::accepted);
  const Hash before = node.submit(pay(node, "Dave", 0), PoolSource::gossip).hash;
  // It pays far more for its weight, and less for its bytes than all but Eve's.
  const auto again = node.submit(remark(node, "Dave", 0), PoolSource::gossip);
  CHECK(again.verdict == PoolVerdict::refused);
  CHECK(again.code == RejectCode::pool_full);
  CHECK(node.pool->contains(before));
  CHECK(node.pool->contains(large));
  for (const Hash& hash : small) CHECK(node.pool->contains(hash));
  CHECK(node.pool->size() == 18);
}

// Fails where only the first to go is compared.
TEST_CASE("pool: all that would go for a newcomer has to pay less than it") {
  ChainNode node = node_with({100, 204'000, 256});
  const auto large = [&](const std::string& from, std::size_t size, u128 tip) {
    const runtime::RuntimeCall call = runtime::SystemCall{system::Remark{Bytes(size)}};
    return node.submit(node.sign(dev(from), call, {.tip = tip}), PoolSource::gossip);
  };
  const Hash bait = large("Charlie", 90'000, 0).hash;
  REQUIRE(large("Ferdie", 100'000, 900'000'000).verdict == PoolVerdict::accepted);
  std::vector<Hash> small;
  for (const char* name : {"Bob", "Dave"}) {
    for (std::uint32_t i = 0; i < 15; ++i) {
      small.push_back(node.submit(pay(node, name, i, 1'000'000), PoolSource::gossip).hash);
    }
  }
  REQUIRE(node.pool->size() == 32);
  CHECK(large("Eve", 101'000, 1'000'000).code == RejectCode::pool_full);
  CHECK(node.pool->size() == 32);
  CHECK(node.pool->contains(bait));
  // One for which the bait alone has to go gets its place.
  CHECK(large("Eve", 95'000, 1'000'000).verdict == PoolVerdict::accepted);
  CHECK_FALSE(node.pool->contains(bait));
  CHECK(node.pool->size() == 32);
  for (const Hash& hash : small) CHECK(node.pool->contains(hash));
}

// Fails where an account's last transaction speaks for those before it.
TEST_CASE("pool: a dear last transaction keeps no place for the cheap ones before it") {
  ChainNode node = node_with({12, 1 << 20, 256});
  for (std::uint32_t i = 0; i < 11; ++i) {
    REQUIRE(node.submit(pay(node, "Eve", i), PoolSource::gossip).verdict == PoolVerdict::accepted);
  }
  const Hash last = node.submit(pay(node, "Eve", 11, 90'000'000), PoolSource::gossip).hash;
  REQUIRE(node.pool->size() == 12);
  CHECK(node.submit(pay(node, "Bob", 0, 1'000'000), PoolSource::gossip).verdict ==
        PoolVerdict::accepted);
  CHECK_FALSE(node.pool->contains(last));
  CHECK(node.submit(pay(node, "Dave", 0, 1'000'000), PoolSource::gossip).verdict ==
        PoolVerdict::accepted);
  CHECK(node.pool->size() == 12);
}

// Fails where one account may hold more than its places against others that pay as much.
TEST_CASE("pool: what an account has beyond its places goes for others") {
  ChainNode node = node_with({40, 1 << 20, 256});
  for (std::uint32_t i = 0; i < 40; ++i) {
    REQUIRE(node.submit(pay(node, "Eve", i, 5'000'000), PoolSource::gossip).verdict ==
            PoolVerdict::accepted);
  }
  std::size_t accepted = 0;
  for (const char* name : {"Bob", "Charlie"}) {
    for (std::uint32_t i = 0; i < 15; ++i) {
      const auto answer = node.submit(pay(node, name, i), PoolSource::gossip);
      accepted += answer.verdict == PoolVerdict::accepted ? 1 : 0;
    }
  }
  CHECK(accepted == 24);
  std::size_t eves = 0;
  for (const Hash& hash : node.pool->all()) {
    const auto* one = node.pool->find_checked(hash);
    eves += one->tx().signer == dev("Eve").account() ? 1 : 0;
  }
  CHECK(eves == 16);
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

// Fails where what waits with later nonces holds the balance that the next one needs.
TEST_CASE("pool: the next transaction is paid for before later ones") {
  ChainNode node(ChainNode::dev_spec());
  const u128 all = free_of(node, "Eve");
  const Hash first = node.submit(pay(node, "Eve", 1, all / 2)).hash;
  const Hash second = node.submit(pay(node, "Eve", 2, all / 4)).hash;
  REQUIRE(node.pool->size() == 2);
  CHECK(node.submit(pay(node, "Eve", 0, all / 3)).verdict == PoolVerdict::accepted);
  CHECK(node.pool->contains(first));
  CHECK_FALSE(node.pool->contains(second));
  CHECK(node.pool->size() == 2);
}

// Fails where a nonce that another transaction used still counts until its account is swept.
TEST_CASE("pool: a nonce that another transaction used is looked at when its account sends more") {
  ChainNode node = node_with({.sweep = 0});
  ChainNode other(ChainNode::dev_spec());
  const u128 half = free_of(node, "Eve") / 2;
  other.submit(pay(other, "Eve", 0));
  const Block block = other.advance();
  const Hash old = node.submit(pay(node, "Eve", 0, half + half / 2)).hash;
  REQUIRE(node.execute(block).valid);
  node.commit({block});
  REQUIRE(node.pool->contains(old));
  CHECK(node.submit(pay(node, "Eve", 1, half)).verdict == PoolVerdict::accepted);
  CHECK_FALSE(node.pool->contains(old));
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

// Fails where each is asked alone whether the channel may owe its fee.
TEST_CASE("pool: of the refutations of a channel one waits whose fee would be owed") {
  Quarrel quarrel;
  ChainNode& node = quarrel.node;
  const Bytes first = quarrel.refute(quarrel.update(2), 1);
  REQUIRE(node.submit(first).verdict == PoolVerdict::accepted);
  for (std::uint32_t nonce = 2; nonce < 6; ++nonce) {
    const auto more = node.submit(quarrel.refute(quarrel.update(nonce + 1), nonce));
    CHECK(more.verdict == PoolVerdict::refused);
    CHECK(more.code == RejectCode::cannot_pay);
    CHECK(more.reason.find("one at a time") != std::string::npos);
  }
  CHECK(node.pool->size() == 1);
  // What another refutation of the same block kept out is not lost.
  const Hash hash = extrinsic_hash(first);
  node.pool->on_refused(hash, runtime::InvalidTransaction::payment);
  CHECK(node.pool->contains(hash));
  node.advance();
  CHECK(node.pool->size() == 0);
}

// Fails where those that were paid for stay when nothing is left to pay them.
TEST_CASE("pool: of the refutations that are no longer paid for one a channel waits on") {
  Quarrel quarrel;
  ChainNode& node = quarrel.node;
  const Bytes gift = node.sign(quarrel.bob, transfer(quarrel.eve, kCredits), {.nonce = 2});
  REQUIRE(node.submit(gift).verdict == PoolVerdict::accepted);
  quarrel.blocks.push_back(node.advance());
  ChainNode other(ChainNode::dev_spec());
  for (const Block& block : quarrel.blocks) {
    REQUIRE(other.execute(block).valid);
    other.commit({block});
  }
  const auto all = runtime::CreditsCall{credits::TransferAll{AddressId{quarrel.bob.account()}}};
  REQUIRE(other.submit(other.sign(quarrel.eve, all, {.nonce = 1})).verdict ==
          PoolVerdict::accepted);
  std::vector<Hash> waiting;
  for (std::uint32_t nonce = 2; nonce < 5; ++nonce) {
    const auto answer = node.submit(quarrel.refute(quarrel.update(nonce), nonce));
    REQUIRE(answer.verdict == PoolVerdict::accepted);
    waiting.push_back(answer.hash);
  }
  const Block block = other.advance();
  REQUIRE(node.execute(block).valid);
  node.commit({block});
  REQUIRE(free_of(node, "Eve") == 0);
  CHECK(node.pool->contains(waiting[0]));
  CHECK(node.pool->size() == 1);
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
