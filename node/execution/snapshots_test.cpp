// A state goes from one node to another in parts and becomes the other's own.
#include "node/execution/snapshots.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "node/execution/final_state.hpp"
#include "node/execution/layout.hpp"
#include "node/ports/chain.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::execution {
namespace {

using ports::Column;
using ports::Subtree;
using tests::ChainNode;
using tests::dev;
using tests::transfer;
using State = std::map<Bytes, Bytes>;

constexpr std::uint32_t kEpoch = 10;  // blocks
constexpr Retention kRetention{.states = 3, .blocks = 3, .epoch_length = kEpoch};

State column(const ports::Store& store, Column which) {
  State out;
  store.scan(which, {}, [&](ByteView key, ByteView value) {
    out.emplace(to_bytes(key), to_bytes(value));
    return true;
  });
  return out;
}

// Throws in place of the n-th write. Calls `written`, if it is set, after each.
struct PowerIsOut {};
class FailingStore final : public ports::Store {
 public:
  explicit FailingStore(std::unique_ptr<ports::Store> inner) : inner_(std::move(inner)) {}
  std::optional<Bytes> get(Column which, ByteView key) const override {
    return inner_->get(which, key);
  }
  void scan(Column which, ByteView from,
            const std::function<bool(ByteView, ByteView)>& visit) const override {
    inner_->scan(which, from, visit);
  }
  void write(ports::WriteBatch batch, ports::Durability durability) override {
    if (left_ && (*left_)-- == 0) throw PowerIsOut{};
    ++writes;
    inner_->write(std::move(batch), durability);
    if (written) written();
  }
  void sync() override { inner_->sync(); }
  void fail_after(std::size_t writes_left) { left_ = writes_left; }

  std::size_t writes = 0;
  std::function<void()> written;

 private:
  std::unique_ptr<ports::Store> inner_;
  std::optional<std::size_t> left_;
};

// A chain with accounts that come and go, and the state and the block at each epoch's end.
class Server {
 public:
  explicit Server(std::uint32_t length)
      : node(ChainNode::dev_spec(), {.retention = kRetention, .limits = {}}) {
    for (std::uint32_t height = 1; height <= length; ++height) advance(height);
  }
  void advance(std::uint32_t height) {
    for (int i = 0; i < 3; ++i) {
      const auto fresh = dev("fresh" + std::to_string((3 * height + i) % 40));
      const auto nonce = node.pool->next_nonce(dev("Bob").account());
      node.submit(node.sign(dev("Bob"), transfer(fresh, 50'000'000), {.nonce = nonce.value}));
    }
    last = node.advance();
    if (height % kEpoch != 0) return;
    states[height] = column(*node.store, Column::state);
    blocks[height] = last;
  }
  ports::SnapshotTarget target(std::uint32_t height) const {
    const Header& header = blocks.at(height).header;
    return {Epoch(height / kEpoch), BlockNumber(height), block_hash(header), header.state_root};
  }

  ChainNode node;
  Block last;
  std::map<std::uint32_t, State> states;
  std::map<std::uint32_t, Block> blocks;
};

// Puts what a network would bring where it belongs, with the checks that a newcomer makes.
class Fetcher {
 public:
  Fetcher(const Snapshots& from, Snapshots& to, BlockNumber at) : from_(from), to_(to), at_(at) {}
  std::size_t nodes = 0;
  std::size_t leaves = 0;
  std::size_t kept = 0;

  void fetch(const Subtree& subtree, const Hash& expected) {
    if (to_.staged_leaves(subtree) == expected) {
      ++kept;
      return;
    }
    const auto read = from_.read(at_, std::vector{subtree});
    REQUIRE(read.parts.size() == 1);
    if (const auto* part = std::get_if<ports::SubtreeLeaves>(&read.parts[0])) {
      std::vector<StateLeaf> made;
      for (const auto& entry : part->entries) {
        made.push_back({state_key_hash(entry.key), state_value_hash(entry.value)});
      }
      const auto built = tree::build_part({at_, subtree.depth, subtree.path}, made);
      REQUIRE(built.slot);
      REQUIRE(built.slot->hash == expected);
      to_.stage_leaves(subtree, expected, part->entries);
      leaves += made.size();
      return;
    }
    const Bytes& bytes = std::get<ports::SubtreeNode>(read.parts[0]).node;
    const auto node = tree::Node::decode(bytes, {at_, subtree.depth, subtree.path});
    REQUIRE(node);
    REQUIRE(node->hash() == expected);
    to_.stage_node(subtree, bytes);
    ++nodes;
    for (unsigned nibble = 0; nibble < tree::Node::kWidth; ++nibble) {
      const auto slot = node->slot(nibble);
      if (!slot) continue;
      const auto child = tree::NodeKey{{}, subtree.depth, subtree.path}.child(nibble, {});
      fetch({child.depth, child.path}, slot->hash);
    }
  }

 private:
  const Snapshots& from_;
  Snapshots& to_;
  BlockNumber at_;
};

void put_proofs(ports::Store& store, const Server& server, std::uint32_t height) {
  for (std::uint32_t at = kEpoch; at <= height; at += kEpoch) {
    EpochProof proof;
    proof.header = server.blocks.at(at).header;
    store.write({ports::put_epoch_proof(Epoch(at / kEpoch), proof)}, ports::Durability::buffered);
  }
}

void check_installed(const ports::Store& store, const Server& server, std::uint32_t height) {
  const ports::SnapshotTarget target = server.target(height);
  CHECK(column(store, Column::state) == server.states.at(height));
  CHECK(ports::find_head(store) == ports::ChainHead{target.block, target.number});
  CHECK(root_at(store, target.number)->hash() == target.state_root);
  CHECK(oldest_kept(store) == target.number);
  CHECK(ports::oldest_block(store) == target.number);
  CHECK(ports::find_block(store, target.block) == server.blocks.at(height));
  CHECK(find_events(store, target.block) == find_events(*server.node.store, target.block));
  CHECK(column(store, Column::paths).size() == server.states.at(height).size());
  CHECK(column(store, Column::snapshot).empty());
  CHECK(ports::find_epoch_beacon(store, target.epoch.next()).has_value());
}

TEST_CASE("snapshots: a state in parts becomes a newcomer's own, which goes on from there") {
  Server server(34);
  const Snapshots from(*server.node.store, [] {});
  ChainNode newcomer(ChainNode::dev_spec(), {.retention = kRetention, .limits = {}});
  bool reloaded = false;
  Snapshots to(*newcomer.store, [&] {
    newcomer.app->reload();
    reloaded = true;
  });
  const auto target = server.target(30);
  to.set_target(target);
  Fetcher fetcher(from, to, target.number);
  fetcher.fetch({}, target.state_root);
  CHECK(fetcher.leaves == server.states.at(30).size());
  put_proofs(*newcomer.store, server, 30);
  REQUIRE(to.install(server.blocks.at(30), kEpoch) == ports::InstallResult::installed);
  CHECK(reloaded);
  check_installed(*newcomer.store, server, 30);
  CHECK(ports::find_final(*newcomer.store, BlockNumber(20)) == server.target(20).block);
  for (std::uint32_t height = 31; height <= 34; ++height) {
    const auto hash = ports::find_final(*server.node.store, BlockNumber(height));
    const Block block = *ports::find_block(*server.node.store, *hash);
    REQUIRE(newcomer.execute(block).valid);
    newcomer.commit({block});
  }
  CHECK(newcomer.head() == server.node.head());
  CHECK(column(*newcomer.store, Column::state) == column(*server.node.store, Column::state));
}

TEST_CASE("snapshots: an older point is served beside the newest, others are not there") {
  Server server(34);
  const Snapshots from(*server.node.store, [] {});
  for (const std::uint32_t at : {20U, 30U}) {
    ChainNode newcomer(ChainNode::dev_spec());
    Snapshots to(*newcomer.store, [&] { newcomer.app->reload(); });
    to.set_target(server.target(at));
    Fetcher(from, to, BlockNumber(at)).fetch({}, server.target(at).state_root);
    put_proofs(*newcomer.store, server, at);
    REQUIRE(to.install(server.blocks.at(at), kEpoch) == ports::InstallResult::installed);
    check_installed(*newcomer.store, server, at);
  }
  CHECK(from.read(BlockNumber(10), std::vector{Subtree{}}).parts.empty());
  CHECK(from.read(BlockNumber(29), std::vector{Subtree{}}).parts.empty());
  CHECK(from.read(BlockNumber(99), std::vector{Subtree{}}).parts.empty());
}

// Shown to fail: with the comparison of roots left out of install().
TEST_CASE("snapshots: a staged state that is not the target's is not installed") {
  Server server(20);
  const Snapshots from(*server.node.store, [] {});
  const auto target = server.target(20);
  const auto spoil = GENERATE(0, 1, 2, 3);
  ChainNode newcomer(ChainNode::dev_spec());
  const State before = column(*newcomer.store, Column::state);
  Snapshots to(*newcomer.store, [&] { FAIL("installed"); });
  to.set_target(target);
  Fetcher(from, to, target.number).fetch({}, target.state_root);
  put_proofs(*newcomer.store, server, 20);
  const State staged = column(*newcomer.store, Column::snapshot);
  auto leaf = std::next(std::find_if(staged.begin(), staged.end(),
                                     [](const auto& entry) { return entry.first[0] == 'l'; }),
                        5);
  Bytes value = leaf->second;
  value.back() ^= 1;
  if (spoil == 0) {  // a value
    newcomer.store->write({{Column::snapshot, leaf->first, value}}, ports::Durability::buffered);
  } else if (spoil == 1) {  // a missing leaf
    newcomer.store->write({{Column::snapshot, leaf->first, std::nullopt}},
                          ports::Durability::buffered);
  } else if (spoil == 2) {  // one too many
    Bytes key = leaf->first;
    key.back() ^= 1;
    newcomer.store->write({{Column::snapshot, key, leaf->second}}, ports::Durability::buffered);
  } else {  // another's place
    newcomer.store->write({{Column::snapshot, leaf->first, std::next(leaf)->second}},
                          ports::Durability::buffered);
  }
  CHECK(to.install(server.blocks.at(20), kEpoch) == ports::InstallResult::wrong_root);
  CHECK(column(*newcomer.store, Column::state) == before);
  CHECK(column(*newcomer.store, Column::snapshot).empty());
  CHECK(newcomer.head().number == BlockNumber(0));
}

TEST_CASE("snapshots: what is staged serves a later target as far as it is the same") {
  Server server(34);
  const Snapshots from(*server.node.store, [] {});
  ChainNode newcomer(ChainNode::dev_spec());
  Snapshots to(*newcomer.store, [&] { newcomer.app->reload(); });
  to.set_target(server.target(20));
  Fetcher(from, to, BlockNumber(20)).fetch({}, server.target(20).state_root);
  to.set_target(server.target(30));
  Fetcher(from, to, BlockNumber(30)).fetch({}, server.target(30).state_root);
  put_proofs(*newcomer.store, server, 30);
  REQUIRE(to.install(server.blocks.at(30), kEpoch) == ports::InstallResult::installed);
  check_installed(*newcomer.store, server, 30);
}

// Shown to fail: with the history wiped after the other columns.
TEST_CASE("snapshots: who reads during an install gets the old answer, or that it is pruned") {
  Server server(24);
  const Snapshots from(*server.node.store, [] {});
  const auto target = server.target(20);
  ChainNode newcomer(ChainNode::dev_spec());
  for (int i = 0; i < 3; ++i) newcomer.advance();
  const BlockNumber height(GENERATE(3U, 2U));
  const Bytes key = column(*newcomer.store, Column::state).begin()->first;
  FailingStore store(newcomer.disk.store());
  const History history(store);
  Snapshots to(store, [] {});
  to.set_target(target);
  Fetcher(from, to, target.number).fetch({}, target.state_root);
  put_proofs(store, server, 20);
  const auto value_then = history.get(height, key);
  const auto page_then = history.scan({height, {}, std::nullopt, 10'000});
  const auto proof_then = history.prove(height, key);
  REQUIRE((value_then.ok() && page_then.ok() && proof_then.ok()));
  REQUIRE(page_then->entries.front().first == key);
  std::size_t answers = 0;
  std::size_t refusals = 0;
  const auto same_or_pruned = [&](const auto& now, bool same) {
    CHECK((now.ok() ? same : now.error() == HistoryError::pruned));
    ++(now.ok() ? answers : refusals);
  };
  store.written = [&] {
    const auto value = history.get(height, key);
    same_or_pruned(value, value.ok() && *value == *value_then);
    const auto page = history.scan({height, {}, std::nullopt, 10'000});
    same_or_pruned(page, page.ok() && page->entries == page_then->entries);
    const auto proof = history.prove(height, key);
    same_or_pruned(proof, proof.ok() && *proof == *proof_then);
  };
  REQUIRE(to.install(server.blocks.at(20), kEpoch) == ports::InstallResult::installed);
  CHECK(answers > 0);
  CHECK(refusals > 30);
}

// Shown to fail: without the look at the head in install().
TEST_CASE("snapshots: a state does not move the head back") {
  Server server(20);
  const Snapshots from(*server.node.store, [] {});
  const auto target = server.target(20);
  for (const std::uint32_t own_blocks : {20U, 23U}) {
    ChainNode newcomer(ChainNode::dev_spec());
    Snapshots to(*newcomer.store, [] { FAIL("installed"); });
    to.set_target(target);
    Fetcher(from, to, target.number).fetch({}, target.state_root);
    put_proofs(*newcomer.store, server, 20);
    for (std::uint32_t i = 0; i < own_blocks; ++i) newcomer.advance();
    const State before = column(*newcomer.store, Column::state);
    CHECK(to.install(server.blocks.at(20), kEpoch) == ports::InstallResult::passed);
    CHECK(newcomer.head().number == BlockNumber(own_blocks));
    CHECK(column(*newcomer.store, Column::state) == before);
    CHECK(column(*newcomer.store, Column::snapshot).empty());
  }
}

// Shown to fail: with finish_install() left out of the start. The old chain of the second round has
// blocks and states of its own.
TEST_CASE("snapshots: power that goes at any write of an install leaves the old chain or the new") {
  Server server(24);
  const Snapshots from(*server.node.store, [] {});
  const auto target = server.target(20);
  for (const int old_blocks : {0, 3}) {
    bool done = false;
    for (std::size_t writes = 0; !done; ++writes) {
      ChainNode newcomer(ChainNode::dev_spec());
      for (int i = 0; i < old_blocks; ++i) newcomer.advance();
      const State old = column(*newcomer.store, Column::state);
      const auto head = newcomer.head();
      FailingStore store(newcomer.disk.store());
      Snapshots to(store, [] {});
      to.set_target(target);
      Fetcher(from, to, target.number).fetch({}, target.state_root);
      put_proofs(store, server, 20);
      store.fail_after(writes);
      try {
        done = to.install(server.blocks.at(20), kEpoch) == ports::InstallResult::installed;
      } catch (const PowerIsOut&) {
      }
      newcomer.disk.crash(writes);
      newcomer.start();
      if (newcomer.head() == head) {
        CHECK(column(*newcomer.store, Column::state) == old);
        CHECK(writes == 0);
      } else {
        check_installed(*newcomer.store, server, 20);
      }
      REQUIRE(writes < 2'000);
    }
  }
}

// And again in the middle of finishing it.
TEST_CASE("snapshots: an install is finished however often its finishing is interrupted") {
  Server server(24);
  const Snapshots from(*server.node.store, [] {});
  const auto target = server.target(20);
  ChainNode newcomer(ChainNode::dev_spec());
  {
    FailingStore store(newcomer.disk.store());
    Snapshots to(store, [] {});
    to.set_target(target);
    Fetcher(from, to, target.number).fetch({}, target.state_root);
    put_proofs(store, server, 20);
    store.fail_after(2);
    CHECK_THROWS_AS(to.install(server.blocks.at(20), kEpoch), PowerIsOut);
  }
  bool done = false;
  std::size_t starts = 0;
  while (!done) {
    newcomer.disk.crash(starts);
    FailingStore store(newcomer.disk.store());
    store.fail_after(starts++);
    try {
      done = finish_install(store);
    } catch (const PowerIsOut&) {
    }
  }
  CHECK(starts > 10);
  newcomer.start();
  check_installed(*newcomer.store, server, 20);
}

}  // namespace
}  // namespace tally::execution
