// The tree's nodes in memory, as a node holds those that it uses: what the tree itself costs,
// without a database.
#pragma once

#include <limits>

#include "node/execution/caches.hpp"

namespace tally::bench {

class NodeTable final : public tree::NodeReader {
 public:
  std::shared_ptr<const tree::Node> read(const tree::NodeKey& key) const override {
    return nodes_.find(key);
  }
  void read_all(std::span<const tree::NodeKey> keys,
                std::span<std::shared_ptr<const tree::Node>> nodes) const override {
    nodes_.find_all(keys, nodes);
  }
  void apply(const tree::Update& update) { nodes_.apply(update); }

 private:
  mutable execution::NodeCache nodes_{std::numeric_limits<std::size_t>::max() / 2};
};

}  // namespace tally::bench
