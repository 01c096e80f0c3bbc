// The state of the newest final block, read through caches, and the state of older ones, read
// through what the layout keeps of them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "modules/support/expectant.hpp"
#include "node/execution/caches.hpp"
#include "node/execution/layout.hpp"
#include "node/ports/candidates.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::execution {

struct CacheBudget {
  std::size_t values_bytes = 96 << 20;
  std::size_t nodes_bytes = 160 << 20;
};

// Core thread. The head is read from the store at the start and moves with apply().
class FinalState final : public ExpectantReader,
                         public tree::NodeReader,
                         public ports::FinalizedView {
 public:
  explicit FinalState(const ports::Store& store, const CacheBudget& budget = {});

  std::optional<Bytes> get(ByteView key) const override;
  void expect(std::span<const ByteView> keys) const override { values_->expect(keys); }
  std::shared_ptr<const tree::Node> read(const tree::NodeKey& key) const override;
  void read_all(std::span<const tree::NodeKey> keys,
                std::span<std::shared_ptr<const tree::Node>> nodes) const override;
  ports::ChainHead head() const override { return head_; }
  system::Parent finalized() const override { return {*this, head_.hash}; }
  const tree::Root& root() const { return root_; }

  // After the block was written to the store: the caches follow and the head moves.
  void apply(const ports::ChainHead& head, const StateChanges& changes, const tree::Update& update);
  // Reads the head again, for a store that was filled by other means (a snapshot).
  void reload();

 private:
  const ports::Store& store_;
  CacheBudget budget_;
  ports::ChainHead head_;
  tree::Root root_;
  std::unique_ptr<ValueCache> values_;
  std::unique_ptr<NodeCache> nodes_;
};

// Reads the state of final blocks straight from the store; for RPC. Any thread, while the core
// commits and prunes: an answer is that of the asked block, or `pruned`.
enum class HistoryError : std::uint8_t { unknown_height, pruned };

class History {
 public:
  explicit History(const ports::Store& store) : store_(store) {}

  BlockNumber oldest() const { return oldest_kept(store_); }
  Result<std::optional<Bytes>, HistoryError> get(BlockNumber height, ByteView key) const;
  Result<StateProof, HistoryError> prove(BlockNumber height, ByteView key) const;

  struct ScanRequest {
    BlockNumber height;
    Bytes prefix;
    std::optional<Bytes> after;  // exclusive
    std::size_t limit{};
  };
  struct Page {
    std::vector<std::pair<Bytes, Bytes>> entries;  // in key order
    bool more{};
  };
  // Takes the time of what it returns and of what the blocks above the height changed.
  Result<Page, HistoryError> scan(const ScanRequest& request) const;

 private:
  Result<void, HistoryError> check(BlockNumber height) const;
  const ports::Store& store_;
};

}  // namespace tally::execution
