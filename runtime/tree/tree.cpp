#include "runtime/tree/tree.hpp"

#include <algorithm>
#include <bit>

namespace tally::tree {
namespace {

// Fewer changes than this are not worth handing to other threads.
constexpr std::size_t kParallelMin = 512;

struct Output {
  std::vector<Update::Written> nodes;
  std::vector<NodeKey> stale;
  std::optional<NodeKey> missing;
  // A stack: each node in progress has its edits on top of those of the nodes above it. One piece
  // of memory for the whole update.
  std::vector<Node::Edit> edits;
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

  std::optional<Slot> join(const NodeKey& at, std::span<const std::optional<Slot>> slots,
                           Output& out) const {
    for (unsigned nibble = 0; nibble < slots.size(); ++nibble) {
      if (slots[nibble]) out.edits.push_back({nibble, slots[nibble]});
    }
    if (out.edits.empty()) return std::nullopt;
    return finish(at, nullptr, 0, out);
  }

  std::optional<Slot> build(const NodeKey& at, std::span<const StateLeaf> leaves,
                            Output& out) const {
    if (leaves.empty()) return std::nullopt;
    if (leaves.size() == 1) return Slot::of(leaves[0]);
    TALLY_ASSERT(at.depth < kMaxDepth);
    const std::size_t base = out.edits.size();
    std::size_t begin = 0;
    while (begin < leaves.size()) {
      const unsigned nibble = nibble_at(leaves[begin].key, at.depth);
      std::size_t end = begin + 1;
      while (end < leaves.size() && nibble_at(leaves[end].key, at.depth) == nibble) ++end;
      const auto built =
          build(at.child(nibble, at.version), leaves.subspan(begin, end - begin), out);
      out.edits.push_back({nibble, built});
      begin = end;
    }
    return finish(at, nullptr, base, out);
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
    const std::size_t base = out.edits.size();
    edit_children(at, *before, changes, out);
    if (out.edits.size() == base || out.missing) {
      out.edits.resize(base);
      return old;
    }
    out.stale.push_back(old_key);
    return finish(at, before.get(), base, out);
  }

  // Puts on the stack what becomes of the children below which something changes.
  void edit_children(const NodeKey& at, const Node& before, std::span<const Change> changes,
                     Output& out) const {
    if (executor_ != nullptr && at.depth == 0 && changes.size() >= kParallelMin) {
      return edit_in_parallel(at, before, changes, out);
    }
    while (!changes.empty()) {
      const unsigned nibble = nibble_at(changes[0].path, at.depth);
      const std::optional<Slot> old = before.slot(nibble);
      const auto part = take_nibble(changes, at.depth, nibble);
      push_edit(nibble, old, apply(at.child(nibble, at.version), old, part, out), out);
    }
  }

  void edit_in_parallel(const NodeKey& at, const Node& before, std::span<const Change> changes,
                        Output& out) const {
    struct Part {
      unsigned nibble;
      std::span<const Change> changes;
      std::optional<Slot> result;
      Output output;
    };
    std::vector<Part> parts;
    while (!changes.empty()) {
      const unsigned nibble = nibble_at(changes[0].path, at.depth);
      parts.push_back({nibble, take_nibble(changes, at.depth, nibble), {}, {}});
    }
    executor_->run(parts.size(), [&](std::size_t i) {
      Part& part = parts[i];
      part.result = apply(at.child(part.nibble, at.version), before.slot(part.nibble), part.changes,
                          part.output);
    });
    for (Part& part : parts) {
      merge(out, part.output);
      push_edit(part.nibble, before.slot(part.nibble), part.result, out);
    }
  }

  static void push_edit(unsigned nibble, const std::optional<Slot>& old,
                        const std::optional<Slot>& now, Output& out) {
    const bool same = now.has_value() == old.has_value() && (!now || now->same_as(*old));
    if (!same) out.edits.push_back({nibble, now});
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

  // Takes the edits above `base` off the stack and makes the node with them, or returns what is
  // left where no node may stand.
  static std::optional<Slot> finish(const NodeKey& at, const Node* before, std::size_t base,
                                    Output& out) {
    const auto edits = std::span<const Node::Edit>(out.edits).subspan(base);
    const auto result = finish_with(at, before, edits, out);
    out.edits.resize(base);
    return result;
  }

  static std::optional<Slot> finish_with(const NodeKey& at, const Node* before,
                                         std::span<const Node::Edit> edits, Output& out) {
    unsigned left = before != nullptr ? before->present() : 0;
    for (const Node::Edit& edit : edits) {
      left = edit.slot ? left | 1U << edit.nibble : left & ~(1U << edit.nibble);
    }
    if (left == 0) return std::nullopt;
    if (std::has_single_bit(left)) {
      const auto nibble = static_cast<unsigned>(std::countr_zero(left));
      const auto edit = std::find_if(edits.begin(), edits.end(),
                                     [&](const Node::Edit& e) { return e.nibble == nibble; });
      const auto last = edit != edits.end() ? edit->slot : before->slot(nibble);
      if (last->is_leaf) return last;
    }
    auto node = Node::make(before, edits);
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
    here = walk.end;
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

Part build_part(const NodeKey& at, std::span<const StateLeaf> leaves) {
  for (std::size_t i = 1; i < leaves.size(); ++i) {
    TALLY_ASSERT(leaves[i - 1].key < leaves[i].key);
  }
  Output out;
  const auto slot = Updater(NoNodes(), nullptr).build(at, leaves, out);
  return {slot, std::move(out.nodes)};
}

Part join_parts(const NodeKey& at, std::span<const std::optional<Slot>> slots) {
  TALLY_ASSERT(slots.size() == Node::kWidth);
  Output out;
  const auto slot = Updater(NoNodes(), nullptr).join(at, slots, out);
  return {slot, std::move(out.nodes)};
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
