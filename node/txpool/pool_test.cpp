#include "node/txpool/pool.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "primitives/ss58.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::txpool {
namespace {

using ports::PoolVerdict;
using ports::RejectCode;
using tests::ChainNode;
using tests::dev;
using tests::NodeSettings;
using tests::transfer;

const std::vector<std::string> kNames{"Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"};

Bytes pay(const ChainNode& node, const std::string& from, ChainNode::SignOptions options) {
  return node.sign(dev(from), transfer(dev("Alice"), 1'000), options);
}

template <class Status>
std::vector<Hash> told(const std::vector<Event>& events) {
  std::vector<Hash> out;
  for (const Event& event : events) {
    if (std::holds_alternative<Status>(event.status)) out.push_back(event.extrinsic);
  }
  return out;
}

std::vector<Hash> selected(const ChainNode& node) {
  std::vector<Hash> out;
  const ports::BlockRoom room{.weight = Weight(~std::uint64_t{0}), .bytes = 1 << 20};
  for (const auto* tx : node.pool->select(node.final_state->finalized(), room)) {
    out.push_back(tx->tx().hash);
  }
  return out;
}

TEST_CASE("pool: a signature is asked for once, and then the transaction is known") {
  ChainNode node(ChainNode::dev_spec());
  const Bytes bytes = pay(node, "Bob", {});
  const auto first = node.pool->offer(bytes, ports::PoolSource::gossip);
  REQUIRE(first.verdict == PoolVerdict::check_signature);
  REQUIRE(first.job.has_value());
  CHECK(node.pool->offer(bytes, ports::PoolSource::gossip).verdict == PoolVerdict::known);
  CHECK(node.pool->size() == 0);
  CHECK(node.pool->find_checked(first.hash) == nullptr);
  CHECK(node.pool->settle(first.hash, true).verdict == PoolVerdict::accepted);
  CHECK(node.pool->offer(bytes, ports::PoolSource::gossip).verdict == PoolVerdict::known);
  CHECK(node.pool->find(first.hash) == bytes);
  CHECK(told<ports::TxReady>(node.pool->take_events()) == std::vector<Hash>{first.hash});
  CHECK(node.pool->settle(first.hash, true).verdict == PoolVerdict::known);
}

TEST_CASE("pool: what can never be valid is refused with the reason, before any signature check") {
  ChainNode node(ChainNode::dev_spec());
  const auto refuses = [&](const Bytes& bytes, RejectCode code) {
    const auto answer = node.pool->offer(bytes, ports::PoolSource::local);
    CHECK(enumerator_name(answer.code) == enumerator_name(code));
    CHECK_FALSE(answer.reason.empty());
    CHECK((answer.verdict == PoolVerdict::invalid || answer.verdict == PoolVerdict::stale ||
           answer.verdict == PoolVerdict::refused));
  };
  refuses(Bytes{1, 2, 3}, RejectCode::malformed);
  refuses(Bytes(200'000), RejectCode::too_large);
  refuses(pay(node, "nobody", {}), RejectCode::cannot_pay);
  refuses(pay(node, "Bob", {.nonce = 256}), RejectCode::future_nonce);
  refuses(pay(node, "Bob", {.tip = u128{1} << 90}), RejectCode::cannot_pay);
  auto decoded = decode_extrinsic(pay(node, "Bob", {}));
  REQUIRE(decoded.ok());
  decoded->signature->signature = SignedSr25519{};
  refuses(encode_extrinsic(*decoded), RejectCode::unsupported_scheme);
  decoded->signature.reset();
  refuses(encode_extrinsic(*decoded), RejectCode::bad_signer);
  CHECK(node.verifier.checked == 0);
  CHECK(node.pool->size() == 0);
}

TEST_CASE("pool: a refusal says what was expected and what came") {
  ChainNode node(ChainNode::dev_spec());
  const auto says = [&](const Bytes& bytes, std::vector<std::string> words) {
    const auto answer = node.submit(bytes);
    INFO(answer.reason);
    for (const std::string& word : words) CHECK(answer.reason.find(word) != std::string::npos);
  };
  says(Bytes(200'000), {"at most", "got 200000"});
  says(Bytes{1, 2, 3}, {"length of the rest", "got 3 bytes"});
  says(pay(node, "nobody", {}), {"fee of", "0 CC free", to_ss58(dev("nobody").account())});
  says(pay(node, "Bob", {.nonce = 256}), {"below 256", "got 256"});
  auto decoded = decode_extrinsic(pay(node, "Bob", {}));
  REQUIRE(decoded.ok());
  auto changed = *decoded;
  changed.call[0] = 0x63;
  says(encode_extrinsic(changed), {"1 Credits", "got module 99"});
  changed = *decoded;
  changed.call[1] = 0x63;
  says(encode_extrinsic(changed), {"call of module 1", "at byte"});
  changed = *decoded;
  changed.signature.reset();
  says(encode_extrinsic(changed), {"signed", "without a signature"});
  changed = *decoded;
  changed.signature->signature = SignedSr25519{};
  says(encode_extrinsic(changed), {"Ed25519 or ECDSA", "Sr25519"});
  changed = *decoded;
  changed.signature->extra.nonce.value = Nonce(7);
  says(encode_extrinsic(changed), {"expected a signature of", to_ss58(dev("Bob").account())});
}

TEST_CASE("pool: a bad signature leaves nothing behind") {
  ChainNode node(ChainNode::dev_spec());
  Bytes bytes = pay(node, "Bob", {});
  bytes[60] ^= 1;
  const auto answer = node.submit(bytes);
  CHECK(answer.verdict == PoolVerdict::invalid);
  CHECK(answer.code == RejectCode::bad_signature);
  CHECK(node.pool->size() == 0);
  CHECK(node.pool->bytes() == 0);
  CHECK(node.pool->take_events().empty());
}

TEST_CASE("pool: nonces go in order whatever the fees, and a gap waits") {
  ChainNode node(ChainNode::dev_spec());
  const Hash third = node.submit(pay(node, "Bob", {.nonce = 2, .tip = 900'000})).hash;
  CHECK(selected(node).empty());
  CHECK_FALSE(node.pool->has_ready(node.final_state->finalized()));
  const Hash second = node.submit(pay(node, "Bob", {.nonce = 1})).hash;
  const Hash first = node.submit(pay(node, "Bob", {.nonce = 0})).hash;
  const Hash eve = node.submit(pay(node, "Eve", {.nonce = 0, .tip = 500'000})).hash;
  CHECK(node.pool->has_ready(node.final_state->finalized()));
  CHECK(selected(node) == std::vector<Hash>{eve, first, second, third});
  CHECK(node.pool->next_nonce(dev("Bob").account()) == Nonce(3));
  CHECK(node.pool->next_nonce(dev("Dave").account()) == Nonce(0));
}

TEST_CASE("pool: the same nonce again must pay a tenth more, and then replaces") {
  ChainNode node(ChainNode::dev_spec());
  const Hash cheap = node.submit(pay(node, "Bob", {.tip = 10'000'000})).hash;
  const auto little_more = node.submit(pay(node, "Bob", {.tip = 10'000'001}));
  CHECK(little_more.verdict == PoolVerdict::refused);
  CHECK(little_more.code == RejectCode::underpriced);
  node.pool->take_events();
  const Hash dear = node.submit(pay(node, "Bob", {.tip = 30'000'000})).hash;
  CHECK(selected(node) == std::vector<Hash>{dear});
  const auto events = node.pool->take_events();
  CHECK(told<ports::TxRejected>(events) == std::vector<Hash>{cheap});
  CHECK(std::get<ports::TxRejected>(events[0].status).why.code == RejectCode::replaced);
}

TEST_CASE("pool: operational calls go before everything that only pays more") {
  ChainNode node(ChainNode::dev_spec());
  node.submit(pay(node, "Bob", {.tip = 400'000'000}));
  const auto operational = node.sign(dev("Eve"), runtime::ChannelsCall{channels::Settle{}}, {});
  const auto answer = node.submit(operational);
  REQUIRE(answer.verdict == PoolVerdict::accepted);
  REQUIRE(node.pool->find_checked(answer.hash)->tx().operational());
  CHECK(selected(node).front() == answer.hash);
}

TEST_CASE("pool: final blocks take out what they hold and what their nonces overtook") {
  ChainNode node(ChainNode::dev_spec());
  ChainNode other(ChainNode::dev_spec());
  const Hash shared = node.submit(pay(node, "Bob", {.nonce = 0})).hash;
  const Hash overtaken = node.submit(pay(node, "Eve", {.nonce = 0})).hash;
  const Hash later = node.submit(pay(node, "Eve", {.nonce = 1})).hash;
  other.submit(pay(other, "Bob", {.nonce = 0}));
  other.submit(pay(other, "Eve", {.nonce = 0, .tip = 77'000'000}));
  const Block block = other.advance();
  REQUIRE(block.extrinsics.size() == 2);
  REQUIRE(node.execute(block).valid);
  node.pool->take_events();
  node.commit({block});
  CHECK(node.pool->all() == std::vector<Hash>{later});
  CHECK(selected(node) == std::vector<Hash>{later});
  const auto events = node.pool->take_events();
  CHECK(told<ports::TxRejected>(events) == std::vector<Hash>{overtaken});
  CHECK(node.pool->offer(pay(node, "Bob", {.nonce = 0}), ports::PoolSource::local).verdict ==
        PoolVerdict::known);
  CHECK(node.pool->offer(pay(node, "Eve", {.nonce = 0}), ports::PoolSource::local).code ==
        RejectCode::stale_nonce);
  node.pool->on_block({.block = {BlockNumber(1), block_hash(block.header)},
                       .finalized = true,
                       .extrinsics = {shared}});
  CHECK(told<ports::TxFinalized>(node.pool->take_events()) == std::vector<Hash>{shared});
}

TEST_CASE("pool: a transaction dies of its mortality") {
  ChainNode node(ChainNode::dev_spec());
  node.advance();
  const Era era = Era::mortal(4, BlockNumber(1));
  // A gap keeps it from being included.
  const auto answer =
      node.submit(pay(node, "Bob", {.nonce = 1, .tip = 0, .era = era, .birth = node.head().hash}));
  REQUIRE(answer.verdict == PoolVerdict::accepted);
  // Valid in blocks 1 to 4: once block 4 is final no block can hold it.
  while (node.head().number < BlockNumber(3)) node.advance();
  CHECK(node.pool->size() == 1);
  node.advance();
  CHECK(node.pool->size() == 0);
  CHECK(told<ports::TxExpired>(node.pool->take_events()) == std::vector<Hash>{answer.hash});
}

TEST_CASE("pool: one account has its share, and a lower nonce pushes the highest out") {
  ChainNode node(ChainNode::dev_spec(), {.retention = {}, .limits = {100, 1 << 20, 4}});
  node.submit(pay(node, "Bob", {.nonce = 1}));
  node.submit(pay(node, "Bob", {.nonce = 2}));
  const Hash last = node.submit(pay(node, "Bob", {.nonce = 3})).hash;
  CHECK(node.submit(pay(node, "Bob", {.nonce = 4})).code == RejectCode::future_nonce);
  CHECK(node.submit(pay(node, "Bob", {.nonce = 0})).verdict == PoolVerdict::accepted);
  CHECK(node.pool->size() == 4);
  node.advance();
  CHECK(node.pool->size() == 0);
  CHECK_FALSE(node.pool->contains(last));
}

TEST_CASE("pool: when full, gaps go first, then what pays least, and a poor newcomer is refused") {
  ChainNode node(ChainNode::dev_spec(), {.retention = {}, .limits = {3, 1 << 20, 256}});
  const Hash gap = node.submit(pay(node, "Bob", {.nonce = 5, .tip = 90'000'000})).hash;
  const Hash rich = node.submit(pay(node, "Charlie", {.tip = 50'000'000})).hash;
  const Hash poor = node.submit(pay(node, "Dave", {.tip = 10'000'000})).hash;
  node.pool->take_events();
  const Hash middle = node.submit(pay(node, "Eve", {.tip = 20'000'000})).hash;
  CHECK(told<ports::TxRejected>(node.pool->take_events()) == std::vector<Hash>{gap});
  CHECK(node.submit(pay(node, "Ferdie", {.tip = 1'000'000})).code == RejectCode::pool_full);
  CHECK(node.submit(pay(node, "Ferdie", {.nonce = 3, .tip = 99'000'000})).code ==
        RejectCode::pool_full);
  const Hash richest = node.submit(pay(node, "Ferdie", {.tip = 80'000'000})).hash;
  CHECK(told<ports::TxRejected>(node.pool->take_events()) == std::vector<Hash>{poor});
  CHECK(selected(node) == std::vector<Hash>{richest, rich, middle});
}

TEST_CASE("pool: the limit of bytes holds") {
  ChainNode node(ChainNode::dev_spec());
  const std::size_t one = pay(node, "Bob", {.tip = 9'000'000}).size();
  ChainNode small(ChainNode::dev_spec(),
                  {.retention = {}, .limits = {100, 2 * one + one / 2, 256}});
  small.submit(pay(small, "Bob", {.tip = 8'000'000}));
  small.submit(pay(small, "Eve", {.tip = 9'000'000}));
  small.submit(pay(small, "Dave", {.tip = 9'500'000}));
  CHECK(small.pool->size() == 2);
  CHECK(small.pool->bytes() <= small.pool->limits().bytes);
}

TEST_CASE("pool: only own transactions are told to new peers, within the bound") {
  ChainNode node(ChainNode::dev_spec());
  const Bytes own = pay(node, "Bob", {});
  node.submit(own, ports::PoolSource::local);
  node.submit(pay(node, "Eve", {}), ports::PoolSource::gossip);
  CHECK(node.pool->local(1 << 20) == std::vector<Bytes>{own});
  CHECK(node.pool->local(own.size() - 1).empty());
}

// Whatever is offered in whatever order: limits hold, the selection is executable, nothing leaks.
TEST_CASE("pool: random traffic and blocks keep every rule") {
  CHECK(rc::check([] {
    ChainNode node(ChainNode::dev_spec(), {.retention = {.states = 8}, .limits = {12, 4'000, 5}});
    const int steps = *rc::gen::inRange(1, 25);
    for (int i = 0; i < steps; ++i) {
      if (*rc::gen::inRange(0, 8) == 0) {
        node.advance();
      } else {
        const auto& name = kNames[*rc::gen::inRange<std::size_t>(0, kNames.size())];
        const auto nonce = node.pool->next_nonce(dev(name).account()).value;
        const auto offset = *rc::gen::inRange<std::uint32_t>(0, 3);
        node.submit(pay(node, name,
                        {.nonce = nonce + offset - std::min(nonce, 1U),
                         .tip = u128{*rc::gen::inRange<std::uint32_t>(0, 50)} * 1'000'000}));
      }
      RC_ASSERT(node.pool->size() <= 12U);
      RC_ASSERT(node.pool->bytes() <= 4'000U);
      const auto all = node.pool->all();
      RC_ASSERT(all.size() == node.pool->size());
      std::size_t bytes = 0;
      for (const Hash& hash : all) bytes += node.pool->find(hash)->size();
      RC_ASSERT(bytes == node.pool->bytes());
      const auto ready = selected(node);
      RC_ASSERT(node.pool->has_ready(node.final_state->finalized()) == !ready.empty());
      const Block block = node.build({node.head().hash});
      RC_ASSERT(block.extrinsics.size() == ready.size());
    }
    for (int i = 0; i < 3; ++i) node.advance();
    RC_ASSERT(selected(node).empty());
  }));
}

}  // namespace
}  // namespace tally::txpool
