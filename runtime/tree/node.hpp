// One node of the state tree and its name.
//
// A node joins four levels of the binary tree that primitives/merkle/state_proof.hpp defines: it
// has up to 16 children, one for each value of the next four bits of the path. A child is a leaf,
// held here in full, or a further node, named by the version that wrote it and the path that leads
// to it. A node is written once and never changed; a version that changes anything below it writes
// a new one. A subtree of one leaf is that leaf, so a node always has two leaves or more below it.
//
// In memory a node also keeps the hashes of the binary levels inside it, so that a change of one
// child costs four hashes instead of fifteen. On disk it is its SCALE encoding, without them.
// Source: Jellyfish Merkle Tree (Diem, Aptos).
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/merkle/state_proof.hpp"

namespace tally::tree {

constexpr std::size_t kMaxDepth = 64;  // nibbles in a path

// The nibble of a path at a depth, the high half of a byte first.
inline unsigned nibble_at(const StateKeyHash& path, std::size_t depth) {
  const std::uint8_t byte = path.bytes[depth / 2];
  return depth % 2 == 0 ? byte >> 4 : byte & 0x0F;
}

// A node's name: the block that wrote it, and the first `depth` nibbles of the paths below it; the
// rest of `path` is zero.
struct NodeKey {
  BlockNumber version;
  std::uint8_t depth{};
  StateKeyHash path;

  // Version (4 bytes, big endian) ‖ depth ‖ the nibbles, two a byte: ordered as (version, depth,
  // path), so that a block's nodes lie together on disk.
  Bytes to_store_key() const;
  static std::optional<NodeKey> from_store_key(ByteView key);  // strict
  NodeKey child(unsigned nibble, BlockNumber child_version) const;

  friend bool operator==(const NodeKey&, const NodeKey&) = default;
  friend std::strong_ordering operator<=>(const NodeKey&, const NodeKey&) = default;
};

// A further node: the block that wrote it and its hash. Its path follows from where it hangs.
struct InnerChild {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "inner";
  BlockNumber version;
  Hash hash;
  friend bool operator==(const InnerChild&, const InnerChild&) = default;
};
TALLY_DESCRIBE(InnerChild, version, hash);

struct LeafChild {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "leaf";
  StateLeaf leaf;
  friend bool operator==(const LeafChild&, const LeafChild&) = default;
};
TALLY_DESCRIBE(LeafChild, leaf);

using Child = std::variant<InnerChild, LeafChild>;

// What a whole tree hangs on: nothing when it is empty. Kept with every version.
struct Root {
  std::optional<Child> child;
  Hash hash() const;
  friend bool operator==(const Root&, const Root&) = default;
};
TALLY_DESCRIBE(Root, child);

// A child with its hash at hand.
struct Slot {
  Hash hash;
  StateLeaf leaf;       // of a leaf
  BlockNumber version;  // of a further node
  bool is_leaf{};

  static Slot of(const StateLeaf& leaf);
  static Slot of(const Child& child);
  Child to_child() const;
  // Content only: a hash decides it, the version says where it is kept.
  bool same_as(const Slot& other) const {
    return hash == other.hash && version == other.version && is_leaf == other.is_leaf;
  }
};

class Node {
 public:
  static constexpr unsigned kWidth = 16;
  // What hangs at a nibble from now on.
  struct Edit {
    unsigned nibble{};
    std::optional<Slot> slot;
  };
  // `before` with the edits made, which ascend by nibble; null: an empty node. Something is left.
  static std::shared_ptr<const Node> make(const Node* before, std::span<const Edit> edits);
  // The same for many nodes, whose hashes are calculated together.
  struct Order {
    const Node* before = nullptr;
    std::span<const Edit> edits;
    std::shared_ptr<const Node> made;
  };
  static void make_all(std::span<Order> orders);
  // Strict: refuses what encode() does not write, and a child that cannot hang at this place.
  static std::shared_ptr<const Node> decode(ByteView stored, const NodeKey& key);
  Bytes encode() const;

  const Hash& hash() const { return hash_; }
  bool has(unsigned nibble) const { return (present_ >> nibble & 1) != 0; }
  std::optional<Slot> slot(unsigned nibble) const;
  // The version of the node that hangs at a nibble; nothing where a leaf does, or nothing.
  std::optional<BlockNumber> inner_version(unsigned nibble) const;
  std::uint16_t present() const { return present_; }
  std::size_t memory_bytes() const;  // roughly, for a cache's budget
  // Asks for the memory that slot() and an edit read, without waiting for it.
  void prefetch() const;

  // The siblings on the way of `nibble` inside this node, lowest first. Ends where the subtree is
  // empty or one leaf: the leaf is told, the path may differ from the one asked for.
  struct Walk {
    std::vector<Hash> siblings;
    std::optional<Slot> end;  // none: an empty subtree
  };
  Walk walk(unsigned nibble) const;

 private:
  // Numbers of children, and where the parts of units_ begin.
  std::size_t count() const;
  bool wide() const;
  std::size_t leaves_at() const;
  std::size_t versions_at() const;
  void copy_with(const Node& before, std::span<const Edit> edits);
  void collect(const Node* before, std::span<const Edit> edits);
  void put(std::size_t place, std::size_t leaf, const Slot& slot);
  const Hash& child_hash(unsigned nibble) const;
  Hash binary_hash(unsigned index) const;
  Hash compute(unsigned index) const;
  class Assembly;

  std::uint16_t present_ = 0;
  std::uint16_t leaf_mask_ = 0;
  Hash hash_;
  // Everything else in one piece of memory, in units of 32 bytes. Of the present children, in
  // order: their hashes; of a wide node, the hashes of the binary subtrees 0..15 (0 and 1 unused);
  // key and value hash of each leaf; the versions of the others, eight to a unit.
  std::vector<Hash> units_;
};

}  // namespace tally::tree
