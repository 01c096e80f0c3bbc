#include "runtime/tree/updater.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "primitives/assert.hpp"
#include "primitives/crypto/hash_many.hpp"
#include "runtime/tree/binary_levels.hpp"

namespace tally::tree {
namespace {

using NodePointer = std::shared_ptr<const Node>;

// Up to this many changes are done level by level: their nodes fit a processor's cache.
constexpr std::size_t kByLevelMax = 1024;

bool same(const std::optional<Slot>& a, const std::optional<Slot>& b) {
  return a.has_value() == b.has_value() && (!a || a->same_as(*b));
}

// How many at the front have this nibble at `depth`.
template <class Item, class PathOf>
std::size_t count_nibble(std::span<const Item> items, std::size_t depth, PathOf&& path_of) {
  const unsigned nibble = nibble_at(path_of(items[0]), depth);
  std::size_t count = 1;
  while (count < items.size() && nibble_at(path_of(items[count]), depth) == nibble) ++count;
  return count;
}

std::span<const LeafChange> take_nibble(std::span<const LeafChange>& changes, std::size_t depth) {
  const std::size_t count = count_nibble(
      changes, depth, [](const LeafChange& c) -> const StateKeyHash& { return c.path; });
  const auto part = changes.first(count);
  changes = changes.subspan(count);
  return part;
}

// What is left where the children of `before` are edited, if no node may stand there.
struct Collapsed {
  bool yes = false;
  std::optional<Slot> left;
};
Collapsed collapsed(const Node* before, std::span<const Node::Edit> edits) {
  unsigned left = before != nullptr ? before->present() : 0;
  for (const Node::Edit& edit : edits) {
    left = edit.slot ? left | 1U << edit.nibble : left & ~(1U << edit.nibble);
  }
  if (left == 0) return {true, std::nullopt};
  if (!std::has_single_bit(left)) return {};
  const auto nibble = static_cast<unsigned>(std::countr_zero(left));
  const auto edit = std::find_if(edits.begin(), edits.end(),
                                 [&](const Node::Edit& e) { return e.nibble == nibble; });
  const auto last = edit != edits.end() ? edit->slot : before->slot(nibble);
  if (last->is_leaf) return {true, last};
  return {};
}

Slot slot_of(const NodeKey& at, const Node& node) {
  return {.hash = node.hash(), .leaf = {}, .version = at.version, .is_leaf = false};
}

// The node with the edits, or what is left where no node may stand.
std::optional<Slot> finish(const NodeKey& at, const Node* before, std::span<const Node::Edit> edits,
                           Output& out) {
  const Collapsed end = collapsed(before, edits);
  if (end.yes) return end.left;
  auto node = Node::make(before, edits);
  const Slot slot = slot_of(at, *node);
  out.nodes.push_back({at, std::move(node)});
  return slot;
}

void merge(Output& into, Output& from) {
  into.nodes.insert(into.nodes.end(), std::make_move_iterator(from.nodes.begin()),
                    std::make_move_iterator(from.nodes.end()));
  into.stale.insert(into.stale.end(), from.stale.begin(), from.stale.end());
  if (!into.missing) into.missing = from.missing;
}

}  // namespace

std::vector<Slot> leaf_slots(std::span<const StateLeaf> leaves) {
  std::vector<Slot> out(leaves.size());
  std::vector<TaggedPair> pairs(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    out[i].leaf = leaves[i];
    out[i].is_leaf = true;
    pairs[i] = {leaves[i].key.bytes.data(), leaves[i].value.bytes.data(), &out[i].hash};
  }
  hash_tagged_pairs(kLeafTag, pairs);
  return out;
}

std::vector<LeafChange> leaf_changes(std::span<const Change> changes, const Executor* executor) {
  constexpr std::size_t kPart = 256;
  std::vector<LeafChange> out(changes.size());
  const auto fill = [&](std::size_t part) {
    const std::size_t end = std::min(changes.size(), (part + 1) * kPart);
    std::array<TaggedPair, kPart> pairs;
    std::size_t count = 0;
    for (std::size_t i = part * kPart; i < end; ++i) {
      out[i].path = changes[i].path;
      if (!changes[i].value) continue;
      Slot& slot = out[i].slot.emplace();
      slot.leaf = {changes[i].path, *changes[i].value};
      slot.is_leaf = true;
      pairs[count++] = {slot.leaf.key.bytes.data(), slot.leaf.value.bytes.data(), &slot.hash};
    }
    hash_tagged_pairs(kLeafTag, std::span(pairs).first(count));
  };
  const std::size_t parts = (changes.size() + kPart - 1) / kPart;
  if (executor != nullptr && changes.size() >= kParallelMin) {
    executor->run(parts, fill);
  } else {
    for (std::size_t part = 0; part < parts; ++part) fill(part);
  }
  return out;
}

// The nodes below one place, level by level.
class Updater::Levels {
 public:
  Levels(const Updater& updater, Output& out) : updater_(updater), out_(out) {}

  std::optional<Slot> run(const NodeKey& at, const Slot& old, std::span<const LeafChange> changes) {
    Level top;
    top.places.push_back({.at = at, .old_version = old.version, .changes = changes});
    levels_.push_back(std::move(top));
    for (std::size_t depth = 0; !levels_[depth].places.empty(); ++depth) {
      levels_.emplace_back();
      if (!read(levels_[depth])) return old;
      for (Place& place : levels_[depth].places) split(place, levels_[depth], levels_[depth + 1]);
      if (out_.missing) return old;
    }
    result_ = old;
    for (std::size_t depth = levels_.size(); depth-- > 0;) {
      make(levels_[depth], depth > 0 ? &levels_[depth - 1] : nullptr);
    }
    return result_;
  }

 private:
  // A node below which something may change.
  struct Place {
    NodeKey at;
    BlockNumber old_version;
    std::span<const LeafChange> changes;
    std::size_t in_parent = 0;  // which edit of the level above its result is
    std::size_t first_edit = 0;
    std::size_t edit_count = 0;
    NodePointer before = nullptr;

    NodeKey old_key() const { return {old_version, at.depth, at.path}; }
  };
  struct Edit : Node::Edit {
    bool changes = true;
  };
  struct Level {
    std::vector<Place> places;
    std::vector<Edit> edits;  // of all places, in their order
  };

  bool read(Level& level) {
    std::vector<NodeKey> keys;
    keys.reserve(level.places.size());
    for (const Place& place : level.places) {
      TALLY_ASSERT(place.old_version < place.at.version);
      keys.push_back(place.old_key());
    }
    std::vector<NodePointer> nodes(keys.size());
    updater_.nodes_.read_all(keys, nodes);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!nodes[i]) {
        out_.missing = keys[i];
        return false;
      }
      level.places[i].before = std::move(nodes[i]);
    }
    return true;
  }

  void split(Place& place, Level& here, Level& below) const {
    place.first_edit = here.edits.size();
    std::span<const LeafChange> changes = place.changes;
    while (!changes.empty()) {
      const unsigned nibble = nibble_at(changes[0].path, place.at.depth);
      const auto part = take_nibble(changes, place.at.depth);
      const NodeKey child = place.at.child(nibble, place.at.version);
      if (const auto version = place.before->inner_version(nibble)) {
        below.places.push_back({.at = child,
                                .old_version = *version,
                                .changes = part,
                                .in_parent = here.edits.size()});
        here.edits.push_back({{nibble, std::nullopt}, false});
        continue;
      }
      const auto old = place.before->slot(nibble);
      auto now = updater_.apply(child, old, part, out_);
      if (!same(old, now)) here.edits.push_back({{nibble, std::move(now)}, true});
    }
    place.edit_count = here.edits.size() - place.first_edit;
  }

  void make(Level& level, Level* above) {
    std::vector<Node::Edit> edits;
    edits.reserve(level.edits.size());
    std::vector<Node::Order> orders;
    std::vector<const Place*> ordered;
    for (const Place& place : level.places) {
      const std::size_t first = edits.size();
      for (const Edit& edit : std::span(level.edits).subspan(place.first_edit, place.edit_count)) {
        if (edit.changes) edits.push_back(edit);
      }
      const auto own = std::span<const Node::Edit>(edits).subspan(first);
      if (own.empty()) continue;
      out_.stale.push_back(place.old_key());
      if (const Collapsed end = collapsed(place.before.get(), own); end.yes) {
        tell(above, place, end.left);
      } else {
        orders.push_back({place.before.get(), own, nullptr});
        ordered.push_back(&place);
      }
    }
    Node::make_all(orders);
    for (std::size_t i = 0; i < orders.size(); ++i) {
      tell(above, *ordered[i], slot_of(ordered[i]->at, *orders[i].made));
      out_.nodes.push_back({ordered[i]->at, std::move(orders[i].made)});
    }
  }

  void tell(Level* above, const Place& place, const std::optional<Slot>& now) {
    if (above == nullptr) {
      result_ = now;
      return;
    }
    Edit& edit = above->edits[place.in_parent];
    edit.slot = now;
    edit.changes = true;
  }

  const Updater& updater_;
  Output& out_;
  std::vector<Level> levels_;
  std::optional<Slot> result_;
};

std::optional<Slot> Updater::apply(const NodeKey& at, const std::optional<Slot>& old,
                                   std::span<const LeafChange> changes, Output& out) const {
  if (changes.empty() || out.missing) return old;
  if (old && !old->is_leaf) {
    const std::size_t most = at.depth == 0 ? kParallelMin - 1 : kByLevelMax;
    if (changes.size() <= most) return Levels(*this, out).run(at, *old, changes);
    return apply_to_node(at, *old, changes, out);
  }
  if (old) return apply_to_leaf(at, *old, changes, out);
  std::vector<Slot> leaves;
  leaves.reserve(changes.size());
  for (const LeafChange& change : changes) {
    if (change.slot) leaves.push_back(*change.slot);
  }
  return build(at, leaves, out);
}

std::optional<Slot> Updater::build(const NodeKey& at, std::span<const Slot> leaves,
                                   Output& out) const {
  if (leaves.empty()) return std::nullopt;
  if (leaves.size() == 1) return leaves[0];
  TALLY_ASSERT(at.depth < kMaxDepth);
  std::array<Node::Edit, Node::kWidth> edits;
  std::size_t count = 0;
  while (!leaves.empty()) {
    const unsigned nibble = nibble_at(leaves[0].leaf.key, at.depth);
    const std::size_t size = count_nibble(
        leaves, at.depth, [](const Slot& s) -> const StateKeyHash& { return s.leaf.key; });
    edits[count++] = {nibble, build(at.child(nibble, at.version), leaves.first(size), out)};
    leaves = leaves.subspan(size);
  }
  return finish(at, nullptr, std::span(edits).first(count), out);
}

std::optional<Slot> Updater::join(const NodeKey& at, std::span<const std::optional<Slot>> slots,
                                  Output& out) const {
  std::vector<Node::Edit> edits;
  for (unsigned nibble = 0; nibble < slots.size(); ++nibble) {
    if (slots[nibble]) edits.push_back({nibble, slots[nibble]});
  }
  return finish(at, nullptr, edits, out);
}

std::optional<Slot> Updater::apply_to_leaf(const NodeKey& at, const Slot& old,
                                           std::span<const LeafChange> changes, Output& out) const {
  const auto at_old = std::lower_bound(
      changes.begin(), changes.end(), old.leaf.key,
      [](const LeafChange& change, const StateKeyHash& key) { return change.path < key; });
  const bool replaced = at_old != changes.end() && at_old->path == old.leaf.key;
  if (replaced && changes.size() == 1) return at_old->slot;
  std::vector<Slot> leaves;
  leaves.reserve(changes.size() + 1);
  for (auto it = changes.begin(); it != changes.end(); ++it) {
    if (it == at_old && !replaced) leaves.push_back(old);
    if (it->slot) leaves.push_back(*it->slot);
  }
  if (at_old == changes.end()) leaves.push_back(old);
  return build(at, leaves, out);
}

std::optional<Slot> Updater::apply_to_node(const NodeKey& at, const Slot& old,
                                           std::span<const LeafChange> changes, Output& out) const {
  TALLY_ASSERT(old.version < at.version);
  const NodeKey old_key{old.version, at.depth, at.path};
  const NodePointer before = nodes_.read(old_key);
  if (!before) {
    out.missing = old_key;
    return old;
  }
  struct ChildPart {
    unsigned nibble{};
    std::span<const LeafChange> changes;
    std::optional<Slot> result;
    Output output;
  };
  const bool parallel = executor_ != nullptr && at.depth == 0 && changes.size() >= kParallelMin;
  std::vector<ChildPart> parts;
  while (!changes.empty()) {
    const unsigned nibble = nibble_at(changes[0].path, at.depth);
    parts.push_back({nibble, take_nibble(changes, at.depth), {}, {}});
  }
  const auto job = [&](std::size_t i) {
    ChildPart& part = parts[i];
    part.result = apply(at.child(part.nibble, at.version), before->slot(part.nibble), part.changes,
                        part.output);
  };
  if (parallel) {
    executor_->run(parts.size(), job);
  } else {
    for (std::size_t i = 0; i < parts.size(); ++i) job(i);
  }
  std::vector<Node::Edit> edits;
  for (ChildPart& part : parts) {
    merge(out, part.output);
    if (!same(before->slot(part.nibble), part.result)) edits.push_back({part.nibble, part.result});
  }
  if (edits.empty() || out.missing) return old;
  out.stale.push_back(old_key);
  return finish(at, before.get(), edits, out);
}

}  // namespace tally::tree
