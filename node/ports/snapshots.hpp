// Snapshots: the state after the last block of an epoch, read out for a newcomer and put in place
// by one.
//
// It travels as subtrees of the state tree. Whoever knows a subtree's hash can check a part of it
// alone: a node against that hash, and with it the hashes of up to sixteen subtrees below; or all
// keys and values below, from which the hash follows. The state root is the hash of the whole.
//
// What was checked is staged: kept beside the state that the node has, across restarts, and across
// a change of the target, of which most subtrees stay what they were. install() replaces the node's
// state by the staged one.
//
// Core thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "primitives/header.hpp"
#include "primitives/merkle/state_proof.hpp"

namespace tally::ports {

constexpr std::size_t kMaxSubtrees = 64;             // of one request
constexpr std::size_t kSnapshotLeaves = 1'024;       // of one answer
constexpr std::size_t kSnapshotBytes = 512 * 1'024;  // likewise; a single larger value comes alone

// Everything whose path begins with the first `depth` nibbles of `path`; the rest of it is zero.
struct Subtree {
  std::uint8_t depth{};
  StateKeyHash path;
  friend bool operator==(const Subtree&, const Subtree&) = default;
};
TALLY_DESCRIBE(Subtree, depth, path);

struct SubtreeNode {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "node";
  Bytes node;  // tree::Node; the versions in it mean nothing to others
};
TALLY_DESCRIBE(SubtreeNode, node);

struct StateEntry {
  Bytes key;
  Bytes value;
};
TALLY_DESCRIBE(StateEntry, key, value);

struct SubtreeLeaves {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "leaves";
  std::vector<StateEntry> entries;  // all of them, in the order of their paths
};
TALLY_DESCRIBE(SubtreeLeaves, entries);

using SubtreePart = std::variant<SubtreeNode, SubtreeLeaves>;

// The last block of an epoch.
struct SnapshotTarget {
  Epoch epoch;
  BlockNumber number;
  Hash block;
  Hash state_root;
  friend bool operator==(const SnapshotTarget&, const SnapshotTarget&) = default;
};
TALLY_DESCRIBE(SnapshotTarget, epoch, number, block, state_root);

enum class InstallResult : std::uint8_t {
  installed,
  wrong_root,  // what is staged is not that state: it is forgotten, and nothing has changed
  passed,      // the node has come that far without it: likewise
};

class Snapshots {
 public:
  virtual ~Snapshots() = default;

  struct Read {
    std::vector<SubtreePart> parts;  // of the first of those asked for, in their order
    std::size_t leaves = 0;          // that were walked for it: what it cost
  };
  // Empty: that state is not kept here, or does not have the first subtree.
  virtual Read read(BlockNumber at, std::span<const Subtree> wanted) const = 0;

  // What is being fetched; none: nothing.
  virtual std::optional<SnapshotTarget> target() const = 0;
  virtual void set_target(const SnapshotTarget& target) = 0;
  // The hash of a subtree of which every leaf is staged.
  virtual std::optional<Hash> staged_leaves(const Subtree& subtree) const = 0;
  virtual std::optional<Bytes> staged_node(const Subtree& subtree) const = 0;
  // The caller has checked them. They take the place of what was staged there before; of a node's
  // children that is kept where it may still be good.
  virtual void stage_leaves(const Subtree& subtree, const Hash& hash,
                            const std::vector<StateEntry>& entries) = 0;
  virtual void stage_node(const Subtree& subtree, const Bytes& node) = 0;
  virtual void forget_staged() = 0;

  // The target's block, whose epoch's proof and those before it are in the store. All or nothing,
  // whatever happens meanwhile: a start after a crash finishes it. `epoch_length` in blocks.
  virtual InstallResult install(const Block& block, std::uint32_t epoch_length) = 0;
};

}  // namespace tally::ports
