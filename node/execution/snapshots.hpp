// Snapshots over the store: parts of kept states for others, and a state from others put in place.
//
//   snapshot column   't'                    -> SnapshotTarget
//                     'l' ‖ path             -> StateEntry
//                     'd' ‖ path ‖ depth     -> hash of a subtree of which every leaf is staged
//                     'n' ‖ path ‖ depth     -> tree::Node of a subtree that was asked for in parts
//                     'i'                    -> an install that has begun
//
// An install first makes sure that the staged leaves are the target's state. Then one synced write
// of 'i' decides: from there on the node has that state, and a start that finds 'i' finishes it.
// Meanwhile a state is whole, or counts as pruned. Design: docs/adr/100-pruning-and-snapshots.md
#pragma once

#include <functional>

#include "node/ports/snapshots.hpp"
#include "node/ports/store.hpp"

namespace tally::execution {

class Snapshots final : public ports::Snapshots {
 public:
  // `installed` is called when the store holds another state, before install() returns.
  Snapshots(ports::Store& store, std::function<void()> installed);

  Read read(BlockNumber at, std::span<const ports::Subtree> wanted) const override;
  std::optional<ports::SnapshotTarget> target() const override;
  void set_target(const ports::SnapshotTarget& target) override;
  std::optional<Hash> staged_leaves(const ports::Subtree& subtree) const override;
  std::optional<Bytes> staged_node(const ports::Subtree& subtree) const override;
  void stage_leaves(const ports::Subtree& subtree, const Hash& hash,
                    const std::vector<ports::StateEntry>& entries) override;
  void stage_node(const ports::Subtree& subtree, const Bytes& node) override;
  void forget_staged() override;
  ports::InstallResult install(const Block& block, std::uint32_t epoch_length) override;

 private:
  ports::Store& store_;
  std::function<void()> installed_;
};

// To be called before anything reads the store at a start. False: what is staged has changed since
// it was checked, so the database is damaged.
bool finish_install(ports::Store& store);

}  // namespace tally::execution
