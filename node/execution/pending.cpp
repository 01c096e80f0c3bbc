#include "node/execution/pending.hpp"

namespace tally::execution {

Pending::Pending(PendingBlock content) : block_(std::move(content)) {
  values_.reserve(block_.changes.size());
  for (const auto& [key, value] : block_.changes) values_.emplace(as_text(key), &value);
  nodes_.reserve(block_.update.nodes.size());
  for (const auto& written : block_.update.nodes) nodes_.emplace(written.key, written.node);
}

const std::optional<Bytes>* Pending::changed(ByteView key) const {
  const auto it = values_.find(as_text(key));
  return it == values_.end() ? nullptr : it->second;
}

std::shared_ptr<const tree::Node> Pending::node(const tree::NodeKey& key) const {
  const auto it = nodes_.find(key);
  return it == nodes_.end() ? nullptr : it->second;
}

std::optional<Bytes> ChainState::get(ByteView key) const {
  for (auto block = chain_.rbegin(); block != chain_.rend(); ++block) {
    if (const auto* value = (*block)->changed(key)) return *value;
  }
  return base_.get(key);
}

std::shared_ptr<const tree::Node> ChainState::read(const tree::NodeKey& key) const {
  // A node's version is the height of the block that wrote it, so its place is known.
  const BlockNumber final_number = base_.head().number;
  if (key.version <= final_number) return base_.read(key);
  const std::size_t place = key.version.value - final_number.value - 1;
  return place < chain_.size() ? chain_[place]->node(key) : nullptr;
}

void ChainState::read_all(std::span<const tree::NodeKey> keys,
                          std::span<std::shared_ptr<const tree::Node>> nodes) const {
  // Those of the final state together, and the others by name.
  std::vector<tree::NodeKey> final_keys;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].version > base_.head().number) {
      nodes[i] = read(keys[i]);
      continue;
    }
    final_keys.push_back(keys[i]);
    places.push_back(i);
  }
  std::vector<std::shared_ptr<const tree::Node>> found(final_keys.size());
  base_.read_all(final_keys, found);
  for (std::size_t i = 0; i < places.size(); ++i) nodes[places[i]] = std::move(found[i]);
}

}  // namespace tally::execution
