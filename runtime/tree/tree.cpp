#include "runtime/tree/tree.hpp"

#include <algorithm>
#include <array>

#include "primitives/crypto/hash_many.hpp"
#include "runtime/tree/updater.hpp"

namespace tally::tree {
namespace {

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

// A change's place among the others: the beginning of its path, side by side.
struct Place {
  std::uint64_t beginning{};
  std::size_t index{};
};

std::vector<Change> sorted_by_path(std::span<const Change> changes) {
  std::vector<Place> places(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    std::uint64_t beginning = 0;
    for (std::size_t at = 0; at < sizeof(beginning); ++at) {
      beginning = beginning << 8 | changes[i].path.bytes[at];
    }
    places[i] = {beginning, i};
  }
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.beginning != b.beginning) return a.beginning < b.beginning;
    return changes[a.index].path < changes[b.index].path;
  });
  std::vector<Change> out;
  out.reserve(changes.size());
  for (const Place& place : places) out.push_back(changes[place.index]);
  return out;
}

const Bytes* stored(const Bytes& value) {
  return &value;
}
const Bytes* stored(const std::optional<Bytes>& value) {
  return value ? &*value : nullptr;
}

// Paths and value hashes of up to kPart entries.
constexpr std::size_t kPart = 256;
template <class Entry>
void hash_part(std::span<const Entry* const> entries, std::span<Change> out) {
  std::array<ByteView, kPart> messages;
  std::array<Hash, kPart> hashes;
  for (std::size_t i = 0; i < entries.size(); ++i) messages[i] = entries[i]->first;
  blake2_256_many(std::span(messages).first(entries.size()),
                  std::span(hashes).first(entries.size()));
  std::array<std::size_t, kPart> places;
  std::size_t values = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    out[i].path.bytes = hashes[i].bytes;
    const Bytes* value = stored(entries[i]->second);
    if (value == nullptr) continue;
    messages[values] = *value;
    places[values++] = i;
  }
  blake2_256_many(std::span(messages).first(values), std::span(hashes).first(values));
  for (std::size_t i = 0; i < values; ++i) {
    out[places[i]].value.emplace().bytes = hashes[i].bytes;
  }
}

template <class Map>
std::vector<Change> hashed(const Map& map, const Executor* executor) {
  using Entry = typename Map::value_type;
  std::vector<const Entry*> entries;
  entries.reserve(map.size());
  for (const auto& entry : map) entries.push_back(&entry);
  std::vector<Change> out(entries.size());
  const auto job = [&](std::size_t part) {
    const std::size_t begin = part * kPart;
    const std::size_t size = std::min(entries.size() - begin, kPart);
    hash_part<Entry>(std::span(entries).subspan(begin, size), std::span(out).subspan(begin, size));
  };
  const std::size_t parts = (entries.size() + kPart - 1) / kPart;
  if (executor != nullptr && entries.size() >= kParallelMin) {
    executor->run(parts, job);
  } else {
    for (std::size_t part = 0; part < parts; ++part) job(part);
  }
  return sorted_by_path(out);
}

class NoNodes final : public NodeReader {
 public:
  std::shared_ptr<const Node> read(const NodeKey&) const override { return nullptr; }
};

}  // namespace

std::vector<Change> changes_of(const std::map<Bytes, std::optional<Bytes>>& changes,
                               const Executor* executor) {
  return hashed(changes, executor);
}

Result<Update, MissingNode> update(const NodeReader& nodes, const Root& root, BlockNumber version,
                                   std::span<const Change> changes, const Executor* executor) {
  for (std::size_t i = 1; i < changes.size(); ++i) {
    TALLY_ASSERT(changes[i - 1].path < changes[i].path);
  }
  Output out;
  const NodeKey at{version, 0, {}};
  const std::vector<LeafChange> leaves = leaf_changes(changes, executor);
  const std::optional<Slot> slot = Updater(nodes, executor).apply(at, top(root), leaves, out);
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
  const auto slot = Updater(NoNodes(), nullptr).build(at, leaf_slots(leaves), out);
  return {slot, std::move(out.nodes)};
}

Part join_parts(const NodeKey& at, std::span<const std::optional<Slot>> slots) {
  TALLY_ASSERT(slots.size() == Node::kWidth);
  Output out;
  const auto slot = Updater(NoNodes(), nullptr).join(at, slots, out);
  return {slot, std::move(out.nodes)};
}

Update build(BlockNumber version, const std::map<Bytes, Bytes>& state, const Executor* executor) {
  const std::vector<Change> changes = hashed(state, executor);
  auto result = update(NoNodes(), Root{}, version, changes, executor);
  TALLY_ASSERT(result.ok());  // an empty tree names no node that could be missing
  return *std::move(result);
}

Hash state_root(const std::map<Bytes, Bytes>& state) {
  return build(BlockNumber(0), state).root.hash();
}

}  // namespace tally::tree
