// What a node keeps in memory of the final state: the values and the tree's nodes in use.
//
// Threads: any.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "modules/support/state.hpp"
#include "node/execution/generation_cache.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::execution {

struct NodeKeyHash {
  std::size_t operator()(const tree::NodeKey& key) const;
};

// The tree's nodes, found by their names.
class NodeCache {
 public:
  using NodePointer = std::shared_ptr<const tree::Node>;
  explicit NodeCache(std::size_t budget_bytes) : table_(budget_bytes) {}

  // Null: it is not here.
  NodePointer find(const tree::NodeKey& key);
  // nodes[i] = find(keys[i]), without waiting for one after another.
  void find_all(std::span<const tree::NodeKey> keys, std::span<NodePointer> nodes);
  void put(const tree::NodeKey& key, const NodePointer& node);
  void apply(const tree::Update& update);

 private:
  GenerationCache<tree::NodeKey, NodePointer, NodeKeyHash> table_;
};

// Values, found by their storage keys; also that a key has none.
class ValueCache {
 public:
  explicit ValueCache(std::size_t budget_bytes) : table_(budget_bytes) {}

  // False: nothing is known of the key, and `value` is untouched.
  bool find(ByteView key, std::optional<Bytes>& value) { return table_.find(key, value); }
  // These are asked for soon.
  void expect(std::span<const ByteView> keys);
  void put(ByteView key, const std::optional<Bytes>& value);
  void apply(const StateChanges& changes);

 private:
  struct KeyHash {
    std::size_t operator()(ByteView key) const;
  };
  struct Equal {
    bool operator()(ByteView a, ByteView b) const { return equal(a, b); }
  };
  GenerationCache<Bytes, std::optional<Bytes>, KeyHash, Equal> table_;
};

}  // namespace tally::execution
