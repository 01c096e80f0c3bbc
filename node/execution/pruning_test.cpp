// What pruning leaves is exactly what the kept states need, whatever came and went in between.
#include "node/execution/pruning.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "node/execution/layout.hpp"
#include "node/ports/chain.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::execution {
namespace {

using ports::Column;
using tests::ChainNode;
using tests::dev;
using tests::transfer;
using State = std::map<Bytes, Bytes>;

State column(const ports::Store& store, Column which) {
  State out;
  store.scan(which, {}, [&](ByteView key, ByteView value) {
    out.emplace(to_bytes(key), to_bytes(value));
    return true;
  });
  return out;
}

void reach(const ports::Store& store, const tree::NodeKey& at, const tree::Slot& slot,
           std::set<Bytes>& out) {
  if (slot.is_leaf) return;
  const tree::NodeKey key{slot.version, at.depth, at.path};
  if (!out.insert(key.to_store_key()).second) return;
  const auto stored = store.get(Column::tree, key.to_store_key());
  REQUIRE(stored.has_value());
  const auto node = tree::Node::decode(*stored, key);
  REQUIRE(node != nullptr);
  for (unsigned nibble = 0; nibble < tree::Node::kWidth; ++nibble) {
    if (const auto child = node->slot(nibble)) {
      reach(store, key.child(nibble, child->version), *child, out);
    }
  }
}

// The state at a kept height, read and proved key by key; and that there is nothing else.
void check_kept(const ports::Store& store, const std::vector<State>& states) {
  const History history(store);
  std::set<Bytes> all;
  for (const State& state : states) {
    for (const auto& entry : state) all.insert(entry.first);
  }
  std::set<Bytes> nodes;
  State paths;
  for (std::uint32_t height = 0; height < states.size(); ++height) {
    const BlockNumber at(height);
    if (!is_state_kept(store, at)) {
      CHECK(history.get(at, Bytes{1}).error() == HistoryError::pruned);
      continue;
    }
    const auto root = root_at(store, at);
    REQUIRE(root.has_value());
    REQUIRE(root->hash() == tree::state_root(states[height]));
    if (root->child) reach(store, {}, tree::Slot::of(*root->child), nodes);
    const auto page = history.scan({at, {}, std::nullopt, 10'000});
    REQUIRE(page.ok());
    REQUIRE(State(page->entries.begin(), page->entries.end()) == states[height]);
    for (const Bytes& key : all) {
      const auto it = states[height].find(key);
      const auto then = it == states[height].end() ? std::nullopt : std::optional(it->second);
      const auto value = history.get(at, key);
      REQUIRE(value.ok());
      REQUIRE(*value == then);
      if (then) paths.emplace(to_bytes(state_key_hash(key)), key);
    }
  }
  std::set<Bytes> stored;
  for (const auto& entry : column(store, Column::tree)) stored.insert(entry.first);
  CHECK(stored == nodes);
  CHECK(column(store, Column::paths) == paths);
}

// A chain on which accounts appear, rest, disappear and come back, with every state that it had.
class Chain {
 public:
  explicit Chain(const Retention& retention)
      : node(ChainNode::dev_spec(), {.retention = retention, .limits = {}}),
        states_{column(*node.store, Column::state)} {}

  void advance() {
    const std::uint32_t height = node.head().number.value + 1;
    const auto account = [](std::uint32_t i) { return dev("fresh" + std::to_string(i)); };
    send(dev("Bob"), transfer(account(height % 3), 50'000'000));
    if (height % 7 == 0) send(dev("Bob"), transfer(account(height), 50'000'000));
    if (height > 5 && height % 2 == 0) {
      const auto back = runtime::CreditsCall{credits::TransferAll{AddressId{dev("Bob").account()}}};
      send(account((height + 2) % 3), back);
      if (height % 4 == 0 && height > 20) send(account((height - 16) / 7 * 7), back);
    }
    node.advance();
    states_.push_back(column(*node.store, Column::state));
  }

  void check() const { check_kept(*node.store, states_); }

  std::vector<std::uint32_t> kept_heights() const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t height = 0; height < states_.size(); ++height) {
      if (is_state_kept(*node.store, BlockNumber(height))) out.push_back(height);
    }
    return out;
  }

  ChainNode node;

 private:
  void send(const KeyPair& from, const runtime::RuntimeCall& call) {
    const auto nonce = node.pool->next_nonce(from.account());
    node.submit(node.sign(from, call, {.nonce = nonce.value}));
  }
  std::vector<State> states_;
};

// Shown to fail: with the values, or the nodes, of a snapshot point pruned like any other block's.
TEST_CASE("pruning: the newest states and the snapshot points are kept, and nothing else") {
  Chain chain({.states = 4, .blocks = 0, .epoch_length = 10});
  for (std::uint32_t height = 1; height <= 64; ++height) {
    chain.advance();
    if (height % 9 == 0) chain.node.start();
    if (height > 8) chain.check();
  }
  CHECK(chain.kept_heights() == std::vector<std::uint32_t>{50, 60, 61, 62, 63, 64});
}

// Shown to fail: with the paths of keys forgotten too late.
TEST_CASE("pruning: keys that come, go and come back at random") {
  std::uint32_t random = 1;
  const auto below = [&](std::uint32_t bound) {
    random = random * 1'664'525U + 1'013'904'223U;
    return (random >> 16) % bound;
  };
  for (const std::uint32_t length : {3U, 8U, 20U}) {
    store::SimDisk disk;
    const auto store = disk.store();
    State state{{Bytes{9, 9}, Bytes{1}}};
    Header header;
    header.state_root = tree::state_root(state);
    REQUIRE(install_genesis(*store, {&state, &header}) == GenesisResult::written);
    std::vector<State> states{state};
    for (std::uint32_t height = 1; height <= 70; ++height) {
      StateChanges changes;
      for (std::uint32_t i = below(5); i > 0; --i) {
        const Bytes key{static_cast<std::uint8_t>(below(12)), 7};
        const bool erased = below(2) == 0;
        changes[key] =
            erased ? std::nullopt : std::optional(Bytes{static_cast<std::uint8_t>(height)});
        if (erased)
          state.erase(key);
        else
          state[key] = Bytes{static_cast<std::uint8_t>(height)};
      }
      const FinalState before(*store);
      const auto update =
          tree::update(before, before.root(), BlockNumber(height), tree::changes_of(changes));
      REQUIRE(update.ok());
      Hash hash;
      hash.bytes[0] = static_cast<std::uint8_t>(height);
      hash.bytes[1] = 1;
      const Bytes events;
      const std::vector<Hash> extrinsics;
      ports::WriteBatch batch;
      append_pruning(batch, *store, {.states = 4, .blocks = 0, .epoch_length = length}, 1);
      append_commit(batch, before,
                    {BlockNumber(height), hash, &changes, &*update, &events, &extrinsics});
      batch.push_back(ports::put_height(BlockNumber(height), hash));
      batch.push_back(ports::put_head({hash, BlockNumber(height)}));
      store->write(std::move(batch), ports::Durability::synced);
      states.push_back(state);
      check_kept(*store, states);
    }
  }
}

TEST_CASE("pruning: epochs shorter than what is kept, and much shorter") {
  for (const std::uint32_t length : {1U, 2U, 3U, 7U}) {
    Chain chain({.states = 5, .blocks = 6, .epoch_length = length});
    for (std::uint32_t height = 1; height <= 30; ++height) {
      chain.advance();
      chain.check();
    }
  }
}

TEST_CASE("pruning: an archive that becomes a pruned node gets there in bounded steps") {
  Chain chain({.states = 0, .blocks = 0, .epoch_length = 20});
  for (int i = 0; i < 90; ++i) chain.advance();
  CHECK(oldest_kept(*chain.node.store) == BlockNumber(0));
  CHECK(ports::oldest_block(*chain.node.store) == BlockNumber(1));
  ports::WriteBatch batch;
  const Retention pruned{.states = 4, .blocks = 4, .epoch_length = 20};
  append_pruning(batch, *chain.node.store, pruned, 1);
  chain.node.store->write(std::move(batch), ports::Durability::synced);
  CHECK(oldest_kept(*chain.node.store) == BlockNumber(65));
  CHECK(ports::oldest_block(*chain.node.store) == BlockNumber(60));
  chain.check();
  batch.clear();
  append_pruning(batch, *chain.node.store, pruned, 1);
  chain.node.store->write(std::move(batch), ports::Durability::synced);
  CHECK(chain.kept_heights() == std::vector<std::uint32_t>{60, 80, 87, 88, 89, 90});
  chain.check();
}

TEST_CASE("pruning: blocks go with what hangs on them, from below the older snapshot point") {
  Chain chain({.states = 4, .blocks = 4, .epoch_length = 10});
  std::vector<Hash> hashes{chain.node.genesis_hash()};
  std::vector<std::vector<Hash>> extrinsics{{}};
  for (std::uint32_t height = 1; height <= 35; ++height) {
    chain.advance();
    hashes.push_back(chain.node.head().hash);
    extrinsics.emplace_back();
    const auto block = ports::find_block(*chain.node.store, hashes.back());
    for (const Bytes& bytes : block->extrinsics) {
      extrinsics.back().push_back(extrinsic_hash(bytes));
    }
  }
  const ports::Store& store = *chain.node.store;
  CHECK(ports::oldest_block(store) == BlockNumber(20));
  for (std::uint32_t height = 0; height <= 35; ++height) {
    const bool kept = height == 0 || height >= 20;
    CHECK(ports::find_block(store, hashes[height]).has_value() == kept);
    CHECK(find_events(store, hashes[height]).has_value() == kept);
    const bool named = kept || height % 10 == 0;
    CHECK(ports::find_final(store, BlockNumber(height)).has_value() == named);
    for (const Hash& hash : extrinsics[height]) {
      CHECK(find_transaction(store, hash).has_value() == kept);
    }
  }
}

TEST_CASE("pruning: what the database holds stays bounded as the chain grows") {
  // The newest state itself grows: System.BlockHash remembers 4,096 blocks.
  const auto entries = [](const ports::Store& store) {
    std::size_t out = 0;
    for (const Column which : {Column::history, Column::blocks, Column::events,
                               Column::certificates, Column::tx_index, Column::heights}) {
      out += column(store, which).size();
    }
    return out;
  };
  ChainNode node(ChainNode::dev_spec(),
                 {.retention = {.states = 4, .blocks = 4, .epoch_length = 10}, .limits = {}});
  for (int i = 0; i < 45; ++i) node.advance();
  const std::size_t then = entries(*node.store);
  for (int i = 0; i < 300; ++i) node.advance();
  CHECK(entries(*node.store) <= then + 300 / 10);  // the heights of epochs' ends stay
}

}  // namespace
}  // namespace tally::execution
