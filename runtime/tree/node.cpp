#include "runtime/tree/node.hpp"

#include <bit>

#include "primitives/merkle/merkle.hpp"
#include "runtime/tree/binary_levels.hpp"

namespace tally::tree {
namespace {

// A node this wide keeps the hashes of its binary subtrees; a narrower one calculates the few it
// has.
constexpr std::size_t kWide = 5;
// Versions in 32 bytes.
constexpr std::size_t kPerUnit = 8;

// What is stored of a node; `present` has one bit a nibble and one child for every bit.
struct StoredNode {
  std::uint16_t present{};
  BoundedVec<Child, Node::kWidth> children;
};
TALLY_DESCRIBE(StoredNode, present, children);

}  // namespace

Bytes NodeKey::to_store_key() const {
  Bytes out;
  out.reserve(5 + (depth + 1) / 2);
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(version.value >> shift));
  }
  out.push_back(depth);
  out.insert(out.end(), path.bytes.begin(), path.bytes.begin() + (depth + 1) / 2);
  return out;
}

std::optional<NodeKey> NodeKey::from_store_key(ByteView key) {
  if (key.size() < 5 || key[4] > kMaxDepth) return std::nullopt;
  NodeKey out;
  for (std::size_t i = 0; i < 4; ++i) out.version.value = out.version.value << 8 | key[i];
  out.depth = key[4];
  const ByteView nibbles = key.subspan(5);
  if (nibbles.size() != (out.depth + 1U) / 2) return std::nullopt;
  if (out.depth % 2 == 1 && (nibbles.back() & 0x0F) != 0) return std::nullopt;
  std::copy(nibbles.begin(), nibbles.end(), out.path.bytes.begin());
  return out;
}

NodeKey NodeKey::child(unsigned nibble, BlockNumber child_version) const {
  TALLY_ASSERT(depth < kMaxDepth && nibble < Node::kWidth);
  NodeKey out{child_version, static_cast<std::uint8_t>(depth + 1), path};
  out.path.bytes[depth / 2] =
      static_cast<std::uint8_t>(out.path.bytes[depth / 2] | nibble << (depth % 2 == 0 ? 4 : 0));
  return out;
}

Hash Root::hash() const {
  return child ? Slot::of(*child).hash : Hash{};
}

Slot Slot::of(const StateLeaf& leaf) {
  return {.hash = state_leaf_hash(leaf), .leaf = leaf, .version = {}, .is_leaf = true};
}

Slot Slot::of(const Child& child) {
  if (const auto* leaf = std::get_if<LeafChild>(&child)) return of(leaf->leaf);
  const auto& inner = std::get<InnerChild>(child);
  return {.hash = inner.hash, .leaf = {}, .version = inner.version, .is_leaf = false};
}

Child Slot::to_child() const {
  if (is_leaf) return LeafChild{leaf};
  return InnerChild{version, hash};
}

// Where no child comes, goes or changes its kind: the old memory with the new children in it.
void Node::copy_with(const Node& before, std::span<const Edit> edits) {
  units_ = before.units_;
  for (const Edit& edit : edits) {
    const unsigned below = (1U << edit.nibble) - 1;
    put(static_cast<std::size_t>(std::popcount(present_ & below)),
        static_cast<std::size_t>(std::popcount(leaf_mask_ & below)), *edit.slot);
  }
}

void Node::collect(const Node* before, std::span<const Edit> edits) {
  const auto leaves = static_cast<std::size_t>(std::popcount(leaf_mask_));
  units_.resize(versions_at() + (count() - leaves + kPerUnit - 1) / kPerUnit);
  auto edit = edits.begin();
  std::size_t place = 0;
  std::size_t leaf = 0;
  for (unsigned nibble = 0; nibble < kWidth; ++nibble) {
    const bool edited = edit != edits.end() && edit->nibble == nibble;
    if (has(nibble)) {
      const std::optional<Slot> slot = edited ? edit->slot : before->slot(nibble);
      put(place++, leaf, *slot);
      leaf += slot->is_leaf ? 1 : 0;
    }
    if (edited) ++edit;
  }
}

std::size_t Node::count() const {
  return static_cast<std::size_t>(std::popcount(present_));
}
bool Node::wide() const {
  return count() >= kWide;
}
std::size_t Node::leaves_at() const {
  return count() + (wide() ? kWidth : 0);
}
std::size_t Node::versions_at() const {
  return leaves_at() + 2 * static_cast<std::size_t>(std::popcount(leaf_mask_));
}

// `place` counts the children before it, `leaf` the leaves among them.
void Node::put(std::size_t place, std::size_t leaf, const Slot& slot) {
  units_[place] = slot.hash;
  if (slot.is_leaf) {
    units_[leaves_at() + 2 * leaf].bytes = slot.leaf.key.bytes;
    units_[leaves_at() + 2 * leaf + 1].bytes = slot.leaf.value.bytes;
    return;
  }
  const std::size_t other = place - leaf;
  std::memcpy(units_[versions_at() + other / kPerUnit].bytes.data() + 4 * (other % kPerUnit),
              &slot.version.value, 4);
}

const Hash& Node::child_hash(unsigned nibble) const {
  return units_[static_cast<std::size_t>(std::popcount(present_ & ((1U << nibble) - 1)))];
}

// The hash of a binary subtree of a node that does not keep it.
Hash Node::compute(unsigned index) const {
  const unsigned here = nibbles_below(index) & present_;
  if (here == 0) return {};
  if (std::has_single_bit(here) && (here & leaf_mask_) != 0) {
    return child_hash(static_cast<unsigned>(std::countr_zero(here)));
  }
  return merkle_inner(binary_hash(2 * index), binary_hash(2 * index + 1));
}

Hash Node::binary_hash(unsigned index) const {
  if (index >= kWidth) return has(index - kWidth) ? child_hash(index - kWidth) : Hash{};
  if (index == 1) return hash_;
  if (wide()) return units_[count() + index];
  return compute(index);
}

std::optional<Slot> Node::slot(unsigned nibble) const {
  if (!has(nibble)) return std::nullopt;
  const unsigned below = (1U << nibble) - 1;
  const auto leaves = static_cast<std::size_t>(std::popcount(leaf_mask_ & below));
  const auto others = static_cast<std::size_t>(std::popcount(present_ & below)) - leaves;
  Slot out;
  out.hash = units_[leaves + others];
  out.is_leaf = (leaf_mask_ >> nibble & 1) != 0;
  if (out.is_leaf) {
    out.leaf.key.bytes = units_[leaves_at() + 2 * leaves].bytes;
    out.leaf.value.bytes = units_[leaves_at() + 2 * leaves + 1].bytes;
  } else {
    out.version = *inner_version(nibble);
  }
  return out;
}

std::optional<BlockNumber> Node::inner_version(unsigned nibble) const {
  if (!has(nibble) || (leaf_mask_ >> nibble & 1) != 0) return std::nullopt;
  const unsigned below = (1U << nibble) - 1;
  const auto others = static_cast<std::size_t>(std::popcount(present_ & ~leaf_mask_ & below));
  BlockNumber version;
  const Hash& unit = units_[versions_at() + others / kPerUnit];
  std::memcpy(&version.value, unit.bytes.data() + 4 * (others % kPerUnit), 4);
  return version;
}

void Node::prefetch() const {
  constexpr std::size_t kLine = 64;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(units_.data());
  for (std::size_t at = 0; at < units_.size() * sizeof(Hash); at += kLine) {
    __builtin_prefetch(bytes + at);
  }
}

std::size_t Node::memory_bytes() const {
  return sizeof(Node) + units_.capacity() * sizeof(Hash) + 48;
}

Node::Walk Node::walk(unsigned nibble) const {
  Walk out;
  unsigned index = 1;
  while (index < kWidth) {
    const unsigned here = nibbles_below(index) & present_;
    if (here == 0) break;
    if (index != 1 && std::has_single_bit(here) && (here & leaf_mask_) != 0) {
      out.end = slot(static_cast<unsigned>(std::countr_zero(here)));
      break;
    }
    const unsigned level = std::bit_width(index) - 1;
    const unsigned next = 2 * index + ((nibble >> (3 - level)) & 1);
    out.siblings.push_back(binary_hash(next ^ 1));
    index = next;
  }
  if (index >= kWidth) out.end = slot(nibble);
  std::reverse(out.siblings.begin(), out.siblings.end());
  return out;
}

Bytes Node::encode() const {
  StoredNode stored{.present = present_, .children = {}};
  for (unsigned nibble = 0; nibble < kWidth; ++nibble) {
    if (const auto child = slot(nibble)) TALLY_ASSERT(stored.children.push_back(child->to_child()));
  }
  Encoder out;
  out.reserve(3 + 65 * stored.children.size());
  encode_to(out, stored);
  return std::move(out).take();
}

std::shared_ptr<const Node> Node::decode(ByteView stored, const NodeKey& key) {
  const auto decoded = tally::decode<StoredNode>(stored);
  if (!decoded || key.depth >= kMaxDepth) return nullptr;
  const auto& children = decoded->children;
  if (children.size() != static_cast<std::size_t>(std::popcount(decoded->present))) return nullptr;
  if (children.empty()) return nullptr;
  // A single leaf would stand in the parent, never in a node of its own.
  if (children.size() == 1 && std::holds_alternative<LeafChild>(children[0])) return nullptr;
  std::vector<Edit> edits;
  for (unsigned nibble = 0; nibble < kWidth; ++nibble) {
    if ((decoded->present >> nibble & 1) == 0) continue;
    const Slot slot = Slot::of(children[edits.size()]);
    if (slot.is_leaf) {
      for (std::size_t i = 0; i < key.depth; ++i) {
        if (nibble_at(slot.leaf.key, i) != nibble_at(key.path, i)) return nullptr;
      }
      if (nibble_at(slot.leaf.key, key.depth) != nibble) return nullptr;
    } else if (slot.version > key.version) {
      return nullptr;
    }
    edits.push_back({nibble, slot});
  }
  return make(nullptr, edits);
}

}  // namespace tally::tree
