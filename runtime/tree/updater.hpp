// Private to the tree: one update in progress.
//
// Where many changes lie below a node, its children are gone into one after another (or by several
// threads, at the root). Below a place with few enough of them, the tree is done level by level:
// down, reading the nodes of a level together; up, making the nodes of a level together. How an
// update is split depends on its changes alone, so nodes come in the same order on any number of
// threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/tree/tree.hpp"

namespace tally::tree {

// Fewer changes than this are not worth handing to other threads.
constexpr std::size_t kParallelMin = 512;

struct Output {
  std::vector<Update::Written> nodes;
  std::vector<NodeKey> stale;
  std::optional<NodeKey> missing;
};

// What becomes of a path: its leaf, with the hash, or nothing.
struct LeafChange {
  StateKeyHash path;
  std::optional<Slot> slot;
};
std::vector<LeafChange> leaf_changes(std::span<const Change> changes, const Executor* executor);
std::vector<Slot> leaf_slots(std::span<const StateLeaf> leaves);

// Each function takes what hangs at a place and returns what hangs there afterwards; `at` names the
// place (its version is the new one).
class Updater {
 public:
  Updater(const NodeReader& nodes, const Executor* executor) : nodes_(nodes), executor_(executor) {}

  std::optional<Slot> apply(const NodeKey& at, const std::optional<Slot>& old,
                            std::span<const LeafChange> changes, Output& out) const;
  // Of leaves that ascend by path.
  std::optional<Slot> build(const NodeKey& at, std::span<const Slot> leaves, Output& out) const;
  // One for each nibble.
  std::optional<Slot> join(const NodeKey& at, std::span<const std::optional<Slot>> slots,
                           Output& out) const;

 private:
  class Levels;

  std::optional<Slot> apply_to_leaf(const NodeKey& at, const Slot& old,
                                    std::span<const LeafChange> changes, Output& out) const;
  std::optional<Slot> apply_to_node(const NodeKey& at, const Slot& old,
                                    std::span<const LeafChange> changes, Output& out) const;

  const NodeReader& nodes_;
  const Executor* executor_;
};

}  // namespace tally::tree
