// Blocks that were executed here and are not final: what each changes, and the state as it is after
// it, read through its ancestors down to the final state.
#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/execution/final_state.hpp"
#include "primitives/header.hpp"

namespace tally::execution {

struct PendingBlock {
  Hash hash;
  Header header;
  StateChanges changes;
  tree::Update update;
  Bytes events;
  std::vector<Hash> extrinsics;
  std::optional<Block> body;  // of a block built here, until it is stored

  BlockNumber number() const { return header.number.value; }
};

// Of which the tables point into the block, so it stays where it is.
class Pending {
 public:
  explicit Pending(PendingBlock content);
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  const PendingBlock& block() const { return block_; }
  // Null: this block does not change the key.
  const std::optional<Bytes>* changed(ByteView key) const;
  std::shared_ptr<const tree::Node> node(const tree::NodeKey& key) const;

 private:
  PendingBlock block_;
  std::unordered_map<std::string_view, const std::optional<Bytes>*> values_;
  std::unordered_map<tree::NodeKey, std::shared_ptr<const tree::Node>, NodeKeyHash> nodes_;
};

// The state after a pending block, or after the newest final one when the chain is empty. Good
// until the next commit. For the tree, one thread or many; for values, the core thread.
class ChainState final : public ExpectantReader, public tree::NodeReader {
 public:
  // From the lowest pending ancestor up to the block itself.
  ChainState(const FinalState& base, std::vector<const Pending*> chain)
      : base_(base), chain_(std::move(chain)) {}

  std::optional<Bytes> get(ByteView key) const override;
  void expect(std::span<const ByteView> keys) const override { base_.expect(keys); }
  std::shared_ptr<const tree::Node> read(const tree::NodeKey& key) const override;
  void read_all(std::span<const tree::NodeKey> keys,
                std::span<std::shared_ptr<const tree::Node>> nodes) const override;
  const tree::Root& root() const {
    return chain_.empty() ? base_.root() : chain_.back()->block().update.root;
  }
  BlockNumber number() const {
    return chain_.empty() ? base_.head().number : chain_.back()->block().number();
  }

 private:
  const FinalState& base_;
  std::vector<const Pending*> chain_;
};

}  // namespace tally::execution
