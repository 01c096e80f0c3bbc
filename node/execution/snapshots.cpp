#include "node/execution/snapshots.hpp"

#include <algorithm>
#include <array>

#include "modules/support/state.hpp"
#include "modules/validators/api.hpp"
#include "node/execution/final_state.hpp"
#include "node/execution/layout.hpp"
#include "node/ports/chain.hpp"
#include "primitives/assert.hpp"
#include "primitives/extrinsic.hpp"
#include "runtime/events.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::execution {
namespace {

using ports::Column;
using ports::Durability;
using ports::Subtree;

constexpr std::size_t kBatchEntries = 4'096;
constexpr std::size_t kHashBytes = 32;

struct Install {
  ports::SnapshotTarget target;
  Block block;
  std::uint32_t epoch_length{};
};
TALLY_DESCRIBE(Install, target, block, epoch_length);

Bytes simple_key(char kind) {
  return {static_cast<std::uint8_t>(kind)};
}
Bytes path_key(char kind, const StateKeyHash& path) {
  Bytes key = simple_key(kind);
  append(key, path);
  return key;
}
Bytes subtree_key(char kind, const Subtree& subtree) {
  Bytes key = path_key(kind, subtree.path);
  key.push_back(subtree.depth);
  return key;
}

template <class T>
std::optional<T> read_staged(const ports::Store& store, ByteView key) {
  const auto bytes = store.get(Column::snapshot, key);
  if (!bytes) return std::nullopt;
  auto value = decode<T>(*bytes);
  TALLY_ASSERT(value.ok());
  return *std::move(value);
}

bool is_below(const StateKeyHash& path, const Subtree& subtree) {
  for (std::size_t i = 0; i < subtree.depth; ++i) {
    if (tree::nibble_at(path, i) != tree::nibble_at(subtree.path, i)) return false;
  }
  return true;
}

// Calls visit(key, value) for the staged entries of a kind below a place.
template <class Visit>
void scan_below(const ports::Store& store, char kind, const Subtree& subtree, Visit&& visit) {
  const Bytes from = path_key(kind, subtree.path);
  store.scan(Column::snapshot, from, [&](ByteView key, ByteView value) {
    if (key.size() < 1 + kHashBytes || key[0] != static_cast<std::uint8_t>(kind)) return false;
    const auto path = StateKeyHash::from(key.subspan(1, kHashBytes));
    if (!is_below(*path, subtree)) return false;
    return visit(key, value);
  });
}

// Everything staged below a place, and what is known of the place itself.
void erase_below(ports::WriteBatch& batch, const ports::Store& store, const Subtree& subtree) {
  scan_below(store, 'l', subtree, [&](ByteView key, ByteView) {
    batch.push_back({Column::snapshot, to_bytes(key), std::nullopt});
    return true;
  });
  for (const char kind : {'d', 'n'}) {
    scan_below(store, kind, subtree, [&](ByteView key, ByteView) {
      // The zeros that end a path stand for places above it too.
      if (key.back() >= subtree.depth) {
        batch.push_back({Column::snapshot, to_bytes(key), std::nullopt});
      }
      return true;
    });
  }
}

tree::NodeKey place_of(const Subtree& subtree, BlockNumber version) {
  return {version, subtree.depth, subtree.path};
}

Subtree child_of(const Subtree& subtree, unsigned nibble) {
  const tree::NodeKey key = place_of(subtree, {}).child(nibble, {});
  return {key.depth, key.path};
}

// One request's walk through a kept state.
class Reader {
 public:
  Reader(const ports::Store& store, BlockNumber at) : store_(store), history_(store), at_(at) {}

  // False when nothing more can be told: it is not there, or enough was.
  bool read(const Subtree& subtree, ports::Snapshots::Read& out) {
    const auto slot = find(subtree);
    if (!slot) return false;
    const bool first = out.parts.empty();
    std::vector<StateLeaf> leaves;
    const std::size_t room = ports::kSnapshotLeaves - out.leaves;
    const bool all = collect(place_of(subtree, {}), *slot, room, leaves);
    out.leaves += leaves.size();
    if (all) {
      if (auto part = values(leaves, slot->is_leaf && first)) {
        out.parts.emplace_back(*std::move(part));
        return out.leaves < ports::kSnapshotLeaves;
      }
    }
    // It may fit into an answer of its own; only where that is this one, it is told in parts.
    if (!first || slot->is_leaf) return false;
    const auto node = store_.get(Column::tree, place_of(subtree, slot->version).to_store_key());
    if (!node) return false;
    out.parts.emplace_back(ports::SubtreeNode{*node});
    return out.leaves < ports::kSnapshotLeaves;
  }

 private:
  std::shared_ptr<const tree::Node> node(const tree::NodeKey& key) const {
    const auto stored = store_.get(Column::tree, key.to_store_key());
    return stored ? tree::Node::decode(*stored, key) : nullptr;
  }

  std::optional<tree::Slot> find(const Subtree& subtree) const {
    const auto root = root_at(store_, at_);
    if (!root || !root->child || subtree.depth > tree::kMaxDepth) return std::nullopt;
    std::optional<tree::Slot> slot = tree::Slot::of(*root->child);
    tree::NodeKey at;
    for (std::size_t depth = 0; depth < subtree.depth && slot && !slot->is_leaf; ++depth) {
      at.version = slot->version;
      const auto here = node(at);
      if (!here) return std::nullopt;
      const unsigned nibble = tree::nibble_at(subtree.path, depth);
      slot = here->slot(nibble);
      at = at.child(nibble, {});
    }
    if (slot && slot->is_leaf && !is_below(slot->leaf.key, subtree)) return std::nullopt;
    return slot;
  }

  // False when there are more than `room`, or a node is missing.
  bool collect(tree::NodeKey at, const tree::Slot& slot, std::size_t room,
               std::vector<StateLeaf>& out) const {
    if (slot.is_leaf) {
      if (out.size() >= room) return false;
      out.push_back(slot.leaf);
      return true;
    }
    at.version = slot.version;
    const auto here = node(at);
    if (!here) return false;
    for (unsigned nibble = 0; nibble < tree::Node::kWidth; ++nibble) {
      const auto child = here->slot(nibble);
      if (child && !collect(at.child(nibble, {}), *child, room, out)) return false;
    }
    return true;
  }

  std::optional<ports::SubtreeLeaves> values(const std::vector<StateLeaf>& leaves,
                                             bool whatever_size) {
    ports::SubtreeLeaves out;
    std::size_t bytes = 0;
    for (const StateLeaf& leaf : leaves) {
      auto key = find_path(store_, leaf.key);
      auto value = key ? history_.get(at_, *key) : std::optional<Bytes>();
      if (!key || !value.ok() || !*value) return std::nullopt;
      bytes += key->size() + (*value)->size();
      if (bytes_ + bytes > ports::kSnapshotBytes && !whatever_size) return std::nullopt;
      out.entries.push_back({*std::move(key), **std::move(value)});
    }
    bytes_ += bytes;
    return out;
  }

  const ports::Store& store_;
  History history_;
  BlockNumber at_;
  std::size_t bytes_ = 0;
};

class NewestState final : public StateReader {
 public:
  explicit NewestState(const ports::Store& store) : store_(store) {}
  std::optional<Bytes> get(ByteView key) const override { return store_.get(Column::state, key); }

 private:
  const ports::Store& store_;
};

// The staged leaves in 256 portions, by the first byte of their paths, and the root that follows.
// `visit` gets each portion with the tree's nodes over it, and the nodes over all of them.
class StagedState {
 public:
  using Visit = std::function<void(const std::vector<ports::StateEntry>& entries,
                                   const std::vector<tree::Update::Written>& nodes)>;
  StagedState(const ports::Store& store, BlockNumber version) : store_(store), version_(version) {}

  tree::Root walk(const Visit& visit) const {
    const tree::NodeKey top{version_, 0, {}};
    std::array<std::optional<tree::Slot>, tree::Node::kWidth> first;
    for (unsigned high = 0; high < tree::Node::kWidth; ++high) {
      std::array<std::optional<tree::Slot>, tree::Node::kWidth> second;
      for (unsigned low = 0; low < tree::Node::kWidth; ++low) {
        second[low] = portion(top.child(high, version_).child(low, version_), visit);
      }
      tree::Part joined = tree::join_parts(top.child(high, version_), second);
      visit({}, joined.nodes);
      first[high] = joined.slot;
    }
    tree::Part joined = tree::join_parts(top, first);
    visit({}, joined.nodes);
    tree::Root root;
    if (joined.slot) root.child = joined.slot->to_child();
    return root;
  }

 private:
  std::optional<tree::Slot> portion(const tree::NodeKey& at, const Visit& visit) const {
    std::vector<ports::StateEntry> entries;
    std::vector<StateLeaf> leaves;
    scan_below(store_, 'l', {at.depth, at.path}, [&](ByteView, ByteView value) {
      auto entry = decode<ports::StateEntry>(value);
      TALLY_ASSERT(entry.ok());
      leaves.push_back({state_key_hash(entry->key), state_value_hash(entry->value)});
      entries.push_back(*std::move(entry));
      return true;
    });
    const bool in_order =
        std::adjacent_find(leaves.begin(), leaves.end(), [](const auto& a, const auto& b) {
          return !(a.key < b.key);
        }) == leaves.end();
    const bool in_place = std::all_of(leaves.begin(), leaves.end(), [&](const StateLeaf& leaf) {
      return is_below(leaf.key, {at.depth, at.path});
    });
    if (!in_order || !in_place) return std::nullopt;  // damaged: another root will follow
    tree::Part part = tree::build_part(at, leaves);
    visit(entries, part.nodes);
    return part.slot;
  }

  const ports::Store& store_;
  BlockNumber version_;
};

// Deletes what keep() does not want of a column, in batches of bounded size.
void wipe(ports::Store& store, Column column, const std::function<bool(ByteView)>& keep) {
  for (std::optional<Bytes> from = Bytes{}; from;) {
    ports::WriteBatch batch;
    std::optional<Bytes> next;
    store.scan(column, *from, [&](ByteView key, ByteView) {
      if (batch.size() >= kBatchEntries) {
        next = to_bytes(key);
        return false;
      }
      if (!keep(key)) batch.push_back({column, to_bytes(key), std::nullopt});
      return true;
    });
    if (!batch.empty()) store.write(std::move(batch), Durability::buffered);
    from = std::move(next);
  }
}

bool keep_none(ByteView) {
  return false;
}

void wipe_old_chain(ports::Store& store) {
  const auto genesis = ports::find_final(store, BlockNumber(0));
  TALLY_ASSERT(genesis.has_value());
  const Bytes zero = ports::height_key(BlockNumber(0));
  // The roots first: a state that has one counts as kept, so that whoever reads the rest meanwhile
  // finds it pruned when it looks again.
  wipe(store, Column::history, [](ByteView key) { return equal(key, oldest_key()); });
  for (const Column column : {Column::state, Column::tree, Column::paths, Column::events,
                              Column::tx_index, Column::certificates}) {
    wipe(store, column, keep_none);
  }
  wipe(store, Column::blocks, [&](ByteView key) { return equal(key, *genesis); });
  wipe(store, Column::heights, [&](ByteView key) { return equal(key, zero); });
}

void append_epoch_ends(ports::WriteBatch& batch, const ports::Store& store,
                       const Install& install) {
  for (std::uint64_t epoch = 1; epoch <= install.target.epoch.value; ++epoch) {
    const auto proof = ports::find_epoch_proof(store, Epoch(epoch));
    TALLY_ASSERT(proof.has_value());
    batch.push_back(ports::put_height(proof->header.number.value, block_hash(proof->header)));
  }
}

// The last write of an install: the head moves, and nothing remembers that there was one.
void land(ports::Store& store, const Install& install, const tree::Root& root) {
  const ports::SnapshotTarget& target = install.target;
  ports::WriteBatch batch;
  append_epoch_ends(batch, store, install);
  batch.push_back({Column::history, root_key(target.number), encode(root)});
  batch.push_back({Column::history, oldest_key(), encode(target.number)});
  const NewestState state(store);
  const auto events = state.get(runtime::kEvents.key());
  batch.push_back(
      {Column::events, to_bytes(target.block), events.value_or(encode(std::vector<Bytes>()))});
  for (std::uint32_t i = 0; i < install.block.extrinsics.size(); ++i) {
    batch.push_back({Column::tx_index, to_bytes(extrinsic_hash(install.block.extrinsics[i])),
                     encode(TxPlace{target.number, target.block, i})});
  }
  batch.push_back(ports::put_block(target.block, install.block));
  batch.push_back(ports::put_oldest_block(target.number));
  batch.push_back(ports::put_epoch_beacon(target.epoch.next(), validators::beacon(state)));
  batch.push_back(ports::put_head({target.block, target.number}));
  batch.push_back({Column::snapshot, simple_key('i'), std::nullopt});
  batch.push_back({Column::snapshot, simple_key('t'), std::nullopt});
  store.write(std::move(batch), Durability::synced);
}

}  // namespace

Snapshots::Snapshots(ports::Store& store, std::function<void()> installed)
    : store_(store), installed_(std::move(installed)) {}

Snapshots::Read Snapshots::read(BlockNumber at, std::span<const Subtree> wanted) const {
  Read out;
  Reader reader(store_, at);
  for (const Subtree& subtree : wanted) {
    if (!reader.read(subtree, out)) break;
  }
  return out;
}

std::optional<ports::SnapshotTarget> Snapshots::target() const {
  return read_staged<ports::SnapshotTarget>(store_, simple_key('t'));
}

void Snapshots::set_target(const ports::SnapshotTarget& target) {
  store_.write({{Column::snapshot, simple_key('t'), encode(target)}}, Durability::buffered);
}

std::optional<Hash> Snapshots::staged_leaves(const Subtree& subtree) const {
  return read_staged<Hash>(store_, subtree_key('d', subtree));
}

std::optional<Bytes> Snapshots::staged_node(const Subtree& subtree) const {
  return store_.get(Column::snapshot, subtree_key('n', subtree));
}

void Snapshots::stage_leaves(const Subtree& subtree, const Hash& hash,
                             const std::vector<ports::StateEntry>& entries) {
  ports::WriteBatch batch;
  erase_below(batch, store_, subtree);
  for (const ports::StateEntry& entry : entries) {
    batch.push_back({Column::snapshot, path_key('l', state_key_hash(entry.key)), encode(entry)});
  }
  batch.push_back({Column::snapshot, subtree_key('d', subtree), encode(hash)});
  store_.write(std::move(batch), Durability::buffered);
}

void Snapshots::stage_node(const Subtree& subtree, const Bytes& bytes) {
  const auto node = tree::Node::decode(bytes, place_of(subtree, BlockNumber(~0U)));
  TALLY_ASSERT(node != nullptr);
  ports::WriteBatch batch;
  if (staged_leaves(subtree)) {
    erase_below(batch, store_, subtree);  // of them, none is known to be good alone
  } else {
    for (unsigned nibble = 0; nibble < tree::Node::kWidth; ++nibble) {
      if (!node->has(nibble)) erase_below(batch, store_, child_of(subtree, nibble));
    }
  }
  batch.push_back({Column::snapshot, subtree_key('n', subtree), bytes});
  store_.write(std::move(batch), Durability::buffered);
}

void Snapshots::forget_staged() {
  // Without its target what is left counts for nothing: a crash in between is made good at the
  // next start.
  store_.write({{Column::snapshot, simple_key('t'), std::nullopt}}, Durability::buffered);
  wipe(store_, Column::snapshot, keep_none);
}

ports::InstallResult Snapshots::install(const Block& block, std::uint32_t epoch_length) {
  const auto target = this->target();
  TALLY_ASSERT(target && block_hash(block.header) == target->block);
  if (target->number <= ports::find_head(store_)->number) {
    forget_staged();
    return ports::InstallResult::passed;
  }
  const tree::Root root = StagedState(store_, target->number).walk([](const auto&, const auto&) {});
  if (root.hash() != target->state_root || block.header.state_root != target->state_root) {
    forget_staged();
    return ports::InstallResult::wrong_root;
  }
  const Install decided{*target, block, epoch_length};
  store_.write({{Column::snapshot, simple_key('i'), encode(decided)},
                {Column::history, oldest_key(), encode(target->number)}},
               Durability::synced);
  TALLY_ASSERT(finish_install(store_));
  installed_();
  return ports::InstallResult::installed;
}

bool finish_install(ports::Store& store) {
  const auto install = read_staged<Install>(store, simple_key('i'));
  if (install) {
    wipe_old_chain(store);
    const BlockNumber version = install->target.number;
    const tree::Root root =
        StagedState(store, version).walk([&](const auto& entries, const auto& nodes) {
          ports::WriteBatch batch;
          for (const ports::StateEntry& entry : entries) {
            batch.push_back({Column::state, entry.key, entry.value});
            batch.push_back(put_path(entry.key));
          }
          for (const auto& written : nodes) {
            batch.push_back({Column::tree, written.key.to_store_key(), written.node->encode()});
          }
          if (!batch.empty()) store.write(std::move(batch), Durability::buffered);
        });
    if (root.hash() != install->target.state_root) return false;
    land(store, *install, root);
  }
  if (!store.get(Column::snapshot, simple_key('t'))) wipe(store, Column::snapshot, keep_none);
  return true;
}

}  // namespace tally::execution
