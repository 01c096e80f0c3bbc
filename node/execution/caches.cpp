#include "node/execution/caches.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tally::execution {
namespace {

// A place in a table, with its share of those that are free.
constexpr std::size_t kPlaceBytes = 128;
// What an allocator adds.
constexpr std::size_t kAllocationBytes = 8;
// Entries asked for at a time.
constexpr std::size_t kTogether = 32;

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;

void prefetch(const Bytes& bytes) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < std::min(bytes.size() + kLine, 4 * kLine); at += kLine) {
    __builtin_prefetch(bytes.data() + at);
  }
}

}  // namespace

std::size_t NodeKeyHash::operator()(const tree::NodeKey& key) const {
  // The first eight bytes of a path spread well; deeper nodes share them only if keys were ground.
  // The versions of a place share a place: where a block writes one, the one before it goes.
  std::uint64_t word = 0;
  std::memcpy(&word, key.path.bytes.data(), sizeof word);
  word = (word ^ std::uint64_t{key.depth} << 56) * kMultiplier;
  return static_cast<std::size_t>(word ^ word >> 29);
}

NodeCache::NodePointer NodeCache::find(const tree::NodeKey& key) {
  NodePointer node;
  table_.find(key, node);
  return node;
}

void NodeCache::find_all(std::span<const tree::NodeKey> keys, std::span<NodePointer> nodes) {
  while (!keys.empty()) {
    const auto part = keys.first(std::min(keys.size(), kTogether));
    table_.expect(part, [](const tree::NodeKey&, const NodePointer& node) {
      __builtin_prefetch(node.get());
    });
    for (std::size_t i = 0; i < part.size(); ++i) table_.find(part[i], nodes[i]);
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (nodes[i]) nodes[i]->prefetch();
    }
    keys = keys.subspan(part.size());
    nodes = nodes.subspan(part.size());
  }
}

void NodeCache::put(const tree::NodeKey& key, const NodePointer& node) {
  table_.put(key, node, node->memory_bytes() + kPlaceBytes);
}

void NodeCache::apply(const tree::Update& update) {
  for (const tree::NodeKey& key : update.stale) table_.erase(key);
  for (const auto& written : update.nodes) put(written.key, written.node);
}

std::size_t ValueCache::KeyHash::operator()(ByteView key) const {
  return std::hash<std::string_view>{}(as_text(key));
}

void ValueCache::expect(std::span<const ByteView> keys) {
  table_.expect(keys, [](const Bytes& key, const std::optional<Bytes>& value) {
    prefetch(key);
    if (value) prefetch(*value);
  });
}

void ValueCache::put(ByteView key, const std::optional<Bytes>& value) {
  const std::size_t bytes =
      kPlaceBytes + kAllocationBytes + key.size() + (value ? kAllocationBytes + value->size() : 0);
  table_.put(key, value, bytes);
}

void ValueCache::apply(const StateChanges& changes) {
  std::array<ByteView, kTogether> keys;
  for (auto at = changes.begin(); at != changes.end();) {
    const auto begin = at;
    std::size_t count = 0;
    for (; at != changes.end() && count < kTogether; ++at) keys[count++] = at->first;
    expect(std::span(keys).first(count));
    for (auto it = begin; it != at; ++it) put(it->first, it->second);
  }
}

}  // namespace tally::execution
