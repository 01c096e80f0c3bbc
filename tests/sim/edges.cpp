// Faults at the ends of epochs, where one set of validators hands over to the next.
#include <algorithm>

#include "tests/sim/node_state.hpp"

namespace tally::sim {

std::optional<std::size_t> World::node_of(const Ed25519Key& key) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->node->key() == key) return i;
  }
  return std::nullopt;
}

// A node has reported this height as final. Once an epoch, somewhere around its end.
void World::on_epoch_edge(std::uint32_t height) {
  if (!options_.edge_faults || now_ >= options_.faults_until_ms) return;
  const std::uint32_t length = options_.setup.epoch_length;
  const std::uint32_t end = (height + length - 1) / length * length;
  if (end <= edge_height_) return;
  const bool near = end - height <= edge_random_.below(3);
  if (!near && height != end) return;
  edge_height_ = end;
  at(now_ + edge_random_.below(400), [this] { at_epoch_edge(); });
}

void World::at_epoch_edge() {
  if (now_ >= options_.faults_until_ms) return;
  const std::uint64_t left = options_.faults_until_ms - now_;
  const std::uint64_t lasts = std::min(left, edge_random_.between(500, 5'000));
  const std::size_t count = nodes_.size();
  note(0, "the edge of an epoch", {});
  switch (edge_random_.below(6)) {
    case 0:  // a third of all nodes is down for a while
      for (std::size_t i = 0; i < (count + 2) / 3; ++i) {
        const std::size_t node = edge_random_.below(count);
        if (nodes_[node]->node->running()) crash_node(node, lasts);
      }
      break;
    case 1:  // crashes in the writes of the change itself
      for (std::size_t node = 0; node < count; ++node) {
        if (!nodes_[node]->node->running() || !edge_random_.chance(500)) continue;
        nodes_[node]->node->faults().crash_after = edge_random_.below(12);
      }
      break;
    case 2: {
      std::vector<std::size_t> side;
      for (std::size_t n = 0; n < count; ++n) side.push_back(edge_random_.below(2));
      weather_.side = side;
      at(now_ + lasts, [this] { weather_.side.clear(); });
      break;
    }
    case 3:  // clocks jump
      for (std::size_t node = 0; node < count; ++node) {
        std::int64_t& skew = nodes_[node]->skew_ms;
        if (skew >= -120 && skew < 120)
          skew = static_cast<std::int64_t>(edge_random_.below(240)) - 120;
      }
      break;
    case 4:
      for (std::size_t node = 0; node < count; ++node) {
        if (nodes_[node]->node->running()) crash_node(node);
      }
      break;
    default:
      break;
  }
}

}  // namespace tally::sim
