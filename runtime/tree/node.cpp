#include "runtime/tree/node.hpp"

#include <bit>

#include "primitives/merkle/merkle.hpp"

namespace tally::tree {
namespace {

// A node this wide keeps the hashes of its binary subtrees; a narrower one calculates the few it
// has.
constexpr int kWide = 5;

// Binary subtrees of a node are numbered as in a heap: 1 is the node, i has the children 2i and
// 2i + 1, and 16 + nibble is the child of that nibble. The nibbles below subtree `index`:
std::uint16_t nibbles_below(unsigned index) {
  const unsigned level = std::bit_width(index) - 1;  // 0..4
  const unsigned width = Node::kWidth >> level;
  const unsigned first = (index - (1U << level)) * width;
  return static_cast<std::uint16_t>(((1U << width) - 1) << first);
}

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

std::shared_ptr<const Node> Node::make(const std::array<std::optional<Slot>, kWidth>& slots,
                                       const Node* before, std::uint16_t changed) {
  auto node = std::make_shared<Node>();
  std::size_t count = 0;
  for (const auto& slot : slots) count += slot ? 1 : 0;
  node->slots_.reserve(count);
  for (unsigned nibble = 0; nibble < kWidth; ++nibble) {
    if (!slots[nibble]) continue;
    const auto bit = static_cast<std::uint16_t>(1U << nibble);
    node->present_ = node->present_ | bit;
    if (slots[nibble]->is_leaf) node->leaves_ = node->leaves_ | bit;
    node->slots_.push_back(*slots[nibble]);
  }
  TALLY_ASSERT(count > 0);
  if (count >= kWide) {
    node->binary_.resize(kWidth);
    for (unsigned index = kWidth - 1; index >= 2; --index) {
      node->binary_[index] = node->compute(index, before, changed);
    }
  }
  node->hash_ = node->compute(1, nullptr, 0);
  return node;
}

Hash Node::compute(unsigned index, const Node* before, std::uint16_t changed) {
  const std::uint16_t below = nibbles_below(index);
  if (before != nullptr && !before->binary_.empty() && (below & changed) == 0) {
    return before->binary_[index];
  }
  const unsigned here = below & present_;
  if (here == 0) return {};
  if (std::has_single_bit(here) && (here & leaves_) != 0) {
    return slot(static_cast<unsigned>(std::countr_zero(here)))->hash;
  }
  return merkle_inner(binary_hash(2 * index), binary_hash(2 * index + 1));
}

Hash Node::binary_hash(unsigned index) const {
  if (index >= kWidth) {
    const Slot* child = slot(index - kWidth);
    return child != nullptr ? child->hash : Hash{};
  }
  if (index == 1) return hash_;
  if (!binary_.empty()) return binary_[index];
  const unsigned here = nibbles_below(index) & present_;
  if (here == 0) return {};
  if (std::has_single_bit(here) && (here & leaves_) != 0) {
    return slot(static_cast<unsigned>(std::countr_zero(here)))->hash;
  }
  return merkle_inner(binary_hash(2 * index), binary_hash(2 * index + 1));
}

const Slot* Node::slot(unsigned nibble) const {
  const unsigned bit = 1U << nibble;
  if ((present_ & bit) == 0) return nullptr;
  return &slots_[static_cast<std::size_t>(std::popcount(present_ & (bit - 1)))];
}

unsigned Node::size() const {
  return static_cast<unsigned>(slots_.size());
}

std::size_t Node::memory_bytes() const {
  return sizeof(Node) + slots_.capacity() * sizeof(Slot) + binary_.capacity() * sizeof(Hash) + 32;
}

Node::Walk Node::walk(unsigned nibble) const {
  Walk out;
  unsigned index = 1;
  while (index < kWidth) {
    const unsigned here = nibbles_below(index) & present_;
    if (here == 0) break;
    if (index != 1 && std::has_single_bit(here) && (here & leaves_) != 0) {
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
  for (const Slot& child : slots_) TALLY_ASSERT(stored.children.push_back(child.to_child()));
  Encoder out;
  out.reserve(3 + 65 * slots_.size());
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
  std::array<std::optional<Slot>, kWidth> slots;
  std::size_t next = 0;
  for (unsigned nibble = 0; nibble < kWidth; ++nibble) {
    if ((decoded->present >> nibble & 1) == 0) continue;
    const Slot slot = Slot::of(children[next++]);
    if (slot.is_leaf) {
      for (std::size_t i = 0; i < key.depth; ++i) {
        if (nibble_at(slot.leaf.key, i) != nibble_at(key.path, i)) return nullptr;
      }
      if (nibble_at(slot.leaf.key, key.depth) != nibble) return nullptr;
    } else if (slot.version > key.version) {
      return nullptr;
    }
    slots[nibble] = slot;
  }
  return make(slots, nullptr, 0xFFFF);
}

}  // namespace tally::tree
