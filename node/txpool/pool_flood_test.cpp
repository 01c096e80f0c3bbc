// What a flood can do to the pool: of large transactions, of one peer's, of other nodes' against
// those of this node's clients, of signatures that wait to be checked.
#include <catch2/catch.hpp>

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

}  // namespace
}  // namespace tally::txpool
