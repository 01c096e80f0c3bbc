#include "runtime/tree/tree.hpp"

#include <algorithm>

namespace tally::tree {
namespace {

using Slots = std::array<std::optional<Slot>, Node::kWidth>;

// Fewer changes than this are not worth handing to other threads.
constexpr std::size_t kParallelMin = 512;

struct Output {
  std::vector<Update::Written> nodes;
  std::vector<NodeKey> stale;
  std::optional<NodeKey> missing;
};

// One update in progress. Each function takes what hangs at a place and returns what hangs there
// afterwards; `at` names the place (its version is the new one).
class Updater {
 public:
  Updater(const NodeReader& nodes, const Executor* executor) : nodes_(nodes), executor_(executor) {}

  std::optional<Slot> apply(const NodeKey& at, const std::optional<Slot>& old,
                            std::span<const Change> changes, Output& out) const {
    if (changes.empty() || out.missing) return old;
    if (!old) return build(at, present_leaves(changes), out);
    if (old->is_leaf) return apply_to_leaf(at, *old, changes, out);
    return apply_to_node(at, *old, changes, out);
  }

 private:
  static std::vector<StateLeaf> present_leaves(std::span<const Change> changes) {
    std::vector<StateLeaf> leaves;
    leaves.reserve(changes.size());
    for (const Change& change : changes) {
      if (change.value) leaves.push_back({change.path, *change.value});
    }
    return leaves;
  }

  std::optional<Slot> apply_to_leaf(const NodeKey& at, const Slot& old,
                                    std::span<const Change> changes, Output& out) const {
    const auto same = std::lower_bound(
        changes.begin(), changes.end(), old.leaf.key,
        [](const Change& change, const StateKeyHash& key) { return change.path < key; });
    const bool replaced = same != changes.end() && same->path == old.leaf.key;
    if (replaced && changes.size() == 1) {
      if (!same->value) return std::nullopt;
      return Slot::of(StateLeaf{same->path, *same->value});
    }
    std::vector<StateLeaf> leaves = present_leaves(changes);
    if (!replaced) {
      const auto place = std::lower_bound(
          leaves.begin(), leaves.end(), old.leaf.key,
          [](const StateLeaf& leaf, const StateKeyHash& key) { return leaf.key < key; });
      leaves.insert(place, old.leaf);
    }
    return build(at, leaves, out);
  }

  std::optional<Slot> apply_to_node(const NodeKey& at, const Slot& old,
                                    std::span<const Change> changes, Output& out) const {
    TALLY_ASSERT(old.version < at.version);
    const NodeKey old_key{old.version, at.depth, at.path};
    const std::shared_ptr<const Node> before = nodes_.read(old_key);
    if (!before) {
      out.missing = old_key;
      return old;
    }
    Slots slots;
    for (unsigned nibble = 0; nibble < Node::kWidth; ++nibble) {
      if (const Slot* slot = before->slot(nibble)) slots[nibble] = *slot;
    }
    const std::uint16_t changed = apply_to_children(at, slots, changes, out);
    if (changed == 0 || out.missing) return old;
    out.stale.push_back(old_key);
    return finish(at, slots, before.get(), changed, out);
  }

  // Updates the children in place; tells which of them are not what they were.
  std::uint16_t apply_to_children(const NodeKey& at, Slots& slots, std::span<const Change> changes,
                                  Output& out) const {
    std::array<std::span<const Change>, Node::kWidth> parts;
    for (unsigned nibble = 0; nibble < Node::kWidth; ++nibble) {
      parts[nibble] = take_nibble(changes, at.depth, nibble);
    }
    std::array<std::optional<Slot>, Node::kWidth> results;
    const auto one = [&](std::size_t i, Output& to) {
      const auto nibble = static_cast<unsigned>(i);
      results[i] = apply(at.child(nibble, at.version), slots[i], parts[i], to);
    };
    std::size_t total = 0;
    for (const auto& part : parts) total += part.size();
    if (executor_ != nullptr && at.depth == 0 && total >= kParallelMin) {
      std::array<Output, Node::kWidth> outputs;
      executor_->run(Node::kWidth, [&](std::size_t i) { one(i, outputs[i]); });
      for (Output& output : outputs) merge(out, output);
    } else {
      for (std::size_t i = 0; i < Node::kWidth; ++i) {
        if (!parts[i].empty())
          one(i, out);
        else
          results[i] = slots[i];
      }
    }
    unsigned changed = 0;
    for (unsigned i = 0; i < Node::kWidth; ++i) {
      const bool same = results[i].has_value() == slots[i].has_value() &&
                        (!results[i] || (results[i]->hash == slots[i]->hash &&
                                         results[i]->version == slots[i]->version));
      if (!same) changed |= 1U << i;
      slots[i] = results[i];
    }
    return static_cast<std::uint16_t>(changed);
  }

  static void merge(Output& into, Output& from) {
    into.nodes.insert(into.nodes.end(), std::make_move_iterator(from.nodes.begin()),
                      std::make_move_iterator(from.nodes.end()));
    into.stale.insert(into.stale.end(), from.stale.begin(), from.stale.end());
    if (!into.missing) into.missing = from.missing;
  }

  // Splits the changes whose nibble at `depth` is `nibble` off the front.
  static std::span<const Change> take_nibble(std::span<const Change>& changes, std::size_t depth,
                                             unsigned nibble) {
    std::size_t count = 0;
    while (count < changes.size() && nibble_at(changes[count].path, depth) == nibble) ++count;
    const auto part = changes.first(count);
    changes = changes.subspan(count);
    return part;
  }

  std::optional<Slot> build(const NodeKey& at, std::span<const StateLeaf> leaves,
                            Output& out) const {
    if (leaves.empty()) return std::nullopt;
    if (leaves.size() == 1) return Slot::of(leaves[0]);
    TALLY_ASSERT(at.depth < kMaxDepth);
    Slots slots;
    std::size_t begin = 0;
    while (begin < leaves.size()) {
      const unsigned nibble = nibble_at(leaves[begin].key, at.depth);
      std::size_t end = begin + 1;
      while (end < leaves.size() && nibble_at(leaves[end].key, at.depth) == nibble) ++end;
      slots[nibble] = build(at.child(nibble, at.version), leaves.subspan(begin, end - begin), out);
      begin = end;
    }
    return finish(at, slots, nullptr, 0xFFFF, out);
  }

  static std::optional<Slot> finish(const NodeKey& at, const Slots& slots, const Node* before,
                                    std::uint16_t changed, Output& out) {
    std::size_t count = 0;
    const Slot* last = nullptr;
    for (const auto& slot : slots) {
      if (!slot) continue;
      ++count;
      last = &*slot;
    }
    if (count == 0) return std::nullopt;
    if (count == 1 && last->is_leaf) return *last;
    auto node = Node::make(slots, before, changed);
    const Slot slot{.hash = node->hash(), .leaf = {}, .version = at.version, .is_leaf = false};
    out.nodes.push_back({at, std::move(node)});
    return slot;
  }

  const NodeReader& nodes_;
  const Executor* executor_;
};

std::optional<Slot> top(const Root& root) {
  if (!root.child) return std::nullopt;
  return Slot::of(*root.child);
}

// Where a path ends, and the siblings from the root down to there if they are wanted.
struct End {
  std::optional<StateLeaf> leaf;
  std::vector<Hash> siblings_from_root;
};

Result<End, MissingNode> descend(const NodeReader& nodes, const Root& root,
                                 const StateKeyHash& path) {
  End end;
  std::optional<Slot> here = top(root);
  NodeKey at;
  while (here && !here->is_leaf) {
    at.version = here->version;
    const auto node = nodes.read(at);
    if (!node || at.depth >= kMaxDepth) return fail(MissingNode{at});
    const unsigned nibble = nibble_at(path, at.depth);
    const Node::Walk walk = node->walk(nibble);
    end.siblings_from_root.insert(end.siblings_from_root.end(), walk.siblings.rbegin(),
                                  walk.siblings.rend());
    here = walk.end != nullptr ? std::optional<Slot>(*walk.end) : std::nullopt;
    at = at.child(nibble, at.version);
  }
  if (here) end.leaf = here->leaf;
  return end;
}

void for_range(const Executor* executor, std::size_t count,
               const std::function<void(std::size_t, std::size_t)>& job) {
  constexpr std::size_t kChunk = 256;
  if (executor == nullptr || count < kParallelMin) return job(0, count);
  executor->run((count + kChunk - 1) / kChunk,
                [&](std::size_t i) { job(i * kChunk, std::min(count, (i + 1) * kChunk)); });
}

template <class Map, class ValueOf>
std::vector<Change> hashed(const Map& map, const Executor* executor, ValueOf&& value_of) {
  std::vector<const typename Map::value_type*> entries;
  entries.reserve(map.size());
  for (const auto& entry : map) entries.push_back(&entry);
  std::vector<Change> out(entries.size());
  for_range(executor, entries.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      out[i].path = state_key_hash(entries[i]->first);
      out[i].value = value_of(entries[i]->second);
    }
  });
  std::sort(out.begin(), out.end(),
            [](const Change& a, const Change& b) { return a.path < b.path; });
  return out;
}

class NoNodes final : public NodeReader {
 public:
  std::shared_ptr<const Node> read(const NodeKey&) const override { return nullptr; }
};

}  // namespace

std::vector<Change> changes_of(const std::map<Bytes, std::optional<Bytes>>& changes,
                               const Executor* executor) {
  return hashed(changes, executor, [](const std::optional<Bytes>& value) {
    return value ? std::optional(state_value_hash(*value)) : std::nullopt;
  });
}

Result<Update, MissingNode> update(const NodeReader& nodes, const Root& root, BlockNumber version,
                                   std::span<const Change> changes, const Executor* executor) {
  for (std::size_t i = 1; i < changes.size(); ++i) {
    TALLY_ASSERT(changes[i - 1].path < changes[i].path);
  }
  Output out;
  const NodeKey at{version, 0, {}};
  const std::optional<Slot> slot = Updater(nodes, executor).apply(at, top(root), changes, out);
  if (out.missing) return fail(MissingNode{*out.missing});
  Update result{.root = {}, .nodes = std::move(out.nodes), .stale = std::move(out.stale)};
  if (slot) result.root.child = slot->to_child();
  return result;
}

Result<StateProof, MissingNode> prove(const NodeReader& nodes, const Root& root,
                                      const StateKeyHash& path) {
  const End end = TALLY_TRY(descend(nodes, root, path));
  StateProof proof{.leaf = end.leaf, .siblings = {}};
  for (auto it = end.siblings_from_root.rbegin(); it != end.siblings_from_root.rend(); ++it) {
    TALLY_ASSERT(proof.siblings.push_back(*it));
  }
  return proof;
}

Result<std::optional<StateValueHash>, MissingNode> find(const NodeReader& nodes, const Root& root,
                                                        const StateKeyHash& path) {
  const End end = TALLY_TRY(descend(nodes, root, path));
  if (!end.leaf || end.leaf->key != path) return std::optional<StateValueHash>();
  return std::optional<StateValueHash>(end.leaf->value);
}

Update build(BlockNumber version, const std::map<Bytes, Bytes>& state, const Executor* executor) {
  const std::vector<Change> changes = hashed(
      state, executor, [](const Bytes& value) { return std::optional(state_value_hash(value)); });
  auto result = update(NoNodes(), Root{}, version, changes, executor);
  TALLY_ASSERT(result.ok());  // an empty tree names no node that could be missing
  return *std::move(result);
}

Hash state_root(const std::map<Bytes, Bytes>& state) {
  return build(BlockNumber(0), state).root.hash();
}

}  // namespace tally::tree
