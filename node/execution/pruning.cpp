#include "node/execution/pruning.hpp"

#include <algorithm>
#include <set>

#include "node/ports/chain.hpp"
#include "primitives/assert.hpp"
#include "primitives/extrinsic.hpp"

namespace tally::execution {
namespace {

using ports::Column;

// Heights that one commit prunes beyond those that it lands.
constexpr std::uint32_t kExtraHeights = 64;

// Which snapshot points had their share of the heights above them kept, and which heights still
// hold such shares of points that are no longer wanted.
struct Kept {
  std::vector<BlockNumber> points;  // rising
  BlockNumber clear_next;           // up to clear_end, inclusive; nothing to clear when above it
  BlockNumber clear_end;
};
TALLY_DESCRIBE(Kept, points, clear_next, clear_end);

Bytes kept_key() {
  return {'s'};
}

template <class T>
std::optional<T> read(const ports::Store& store, ByteView key) {
  const auto bytes = store.get(Column::history, key);
  if (!bytes) return std::nullopt;
  auto value = decode<T>(*bytes);
  TALLY_ASSERT(value.ok());
  return *std::move(value);
}

struct Entry {
  BlockNumber height;
  bool existed = false;  // whether the key had a value before that block
};

// The first entry of this key at `from` or above.
std::optional<Entry> first_entry(const ports::Store& store, ByteView key, BlockNumber from) {
  const Bytes start = value_key(key, from);
  std::optional<Entry> found;
  store.scan(Column::history, start, [&](ByteView entry, ByteView before) {
    const bool same = entry.size() == start.size() &&
                      equal(entry.first(entry.size() - 4), ByteView(start).first(start.size() - 4));
    if (same) found = Entry{parse_value_key(entry)->second, !before.empty() && before[0] == 1};
    return false;
  });
  return found;
}

BlockNumber version_of(ByteView tree_store_key) {
  const auto key = tree::NodeKey::from_store_key(tree_store_key);
  TALLY_ASSERT(key.has_value());
  return key->version;
}

class Pruner {
 public:
  Pruner(ports::WriteBatch& batch, const ports::Store& store) : batch_(batch), store_(store) {}

  // Takes from the block at `height` what only states below it need; what the state at `point`
  // needs stays, if there is a point.
  void prune_block(BlockNumber height, std::optional<BlockNumber> point) {
    const auto undo = read<Undo>(store_, undo_key(height));
    if (!undo) return;
    Undo left;
    for (const Bytes& key : undo->changed) {
      // The state at the point is told by the first entry above it, and by no other.
      if (point && first_entry(store_, key, point->next())->height == height) {
        left.changed.push_back(key);
        continue;
      }
      erase_value(key, height);
    }
    for (const Bytes& key : undo->erased) forgotten_.insert(key);
    left.erased = undo->erased;
    for (const Bytes& node : undo->stale) {
      if (point && version_of(node) <= *point)
        left.stale.push_back(node);
      else
        batch_.push_back({Column::tree, node, std::nullopt});
    }
    finish(height, left);
  }

  // The rest of it.
  void clear_block(BlockNumber height) {
    const auto undo = read<Undo>(store_, undo_key(height));
    if (!undo) return;
    for (const Bytes& key : undo->changed) {
      erase_value(key, height);
      forgotten_.insert(key);
    }
    for (const Bytes& key : undo->erased) forgotten_.insert(key);
    for (const Bytes& node : undo->stale) batch_.push_back({Column::tree, node, std::nullopt});
    finish(height, {});
  }

  // Forgets the paths of keys that no kept state has: not the newest one, and none that an entry
  // which stays would tell of.
  void forget_paths() {
    for (const Bytes& key : forgotten_) {
      if (store_.get(Column::state, key)) continue;
      bool stays = false;
      for (auto at = first_entry(store_, key, BlockNumber(0)); at && !stays;
           at = first_entry(store_, key, at->height.next())) {
        stays = at->existed && !gone_.contains(value_key(key, at->height));
      }
      if (!stays) batch_.push_back({Column::paths, to_bytes(state_key_hash(key)), std::nullopt});
    }
  }

 private:
  void erase_value(const Bytes& key, BlockNumber height) {
    Bytes entry = value_key(key, height);
    batch_.push_back({Column::history, entry, std::nullopt});
    gone_.insert(std::move(entry));
  }
  void finish(BlockNumber height, const Undo& left) {
    const bool empty = left.changed.empty() && left.stale.empty();
    batch_.push_back(
        {Column::history, undo_key(height), empty ? std::nullopt : std::optional(encode(left))});
  }

  ports::WriteBatch& batch_;
  const ports::Store& store_;
  std::set<Bytes> gone_;       // history entries that this batch deletes
  std::set<Bytes> forgotten_;  // storage keys whose path may have lost its last reader
};

void prune_states(ports::WriteBatch& batch, const ports::Store& store, const Retention& retention,
                  std::uint32_t landing) {
  const BlockNumber head = ports::find_head(store)->number;
  const BlockNumber from = oldest_kept(store);
  // Never past the head in the store: what this very batch writes is pruned by a later one.
  const std::uint32_t newest = head.value + landing;
  BlockNumber to(newest > retention.states ? newest - retention.states : 0);
  to = std::min({to, head, BlockNumber(from.value + landing + kExtraHeights)});

  Kept kept = read<Kept>(store, kept_key()).value_or(Kept{{}, BlockNumber(1), BlockNumber(0)});
  const Kept before = kept;
  std::vector<BlockNumber> points;
  for (const BlockNumber point : snapshot_points(head, retention.epoch_length)) {
    if (is_state_kept(store, point)) points.push_back(point);
  }
  for (const BlockNumber point : kept.points) {
    if (std::find(points.begin(), points.end(), point) != points.end()) continue;
    // Shares for it lie above it, up to the next point or to where nothing was pruned yet.
    if (point >= from) continue;
    batch.push_back({Column::history, root_key(point), std::nullopt});
    const auto above = std::upper_bound(points.begin(), points.end(), point);
    if (kept.clear_next > kept.clear_end) kept.clear_next = point.next();
    kept.clear_end =
        std::max(kept.clear_end, above == points.end() ? from : std::min(*above, from));
  }
  kept.points = points;

  Pruner pruner(batch, store);
  for (std::uint32_t i = 0; i < kExtraHeights && kept.clear_next <= kept.clear_end; ++i) {
    pruner.clear_block(kept.clear_next);
    kept.clear_next = kept.clear_next.next();
  }
  // The states from `from` up to below `to` go. What block h overwrote or made stale is needed by
  // states below h only.
  for (BlockNumber height = from; height < to; height = height.next()) {
    const auto above = std::upper_bound(points.begin(), points.end(), height);
    const bool is_point = std::find(points.begin(), points.end(), height) != points.end();
    if (!is_point) batch.push_back({Column::history, root_key(height), std::nullopt});
    pruner.prune_block(height.next(),
                       above == points.begin() ? std::nullopt : std::optional(*std::prev(above)));
  }
  pruner.forget_paths();
  if (to > from) batch.push_back({Column::history, oldest_key(), encode(to)});
  if (encode(kept) != encode(before)) {
    batch.push_back({Column::history, kept_key(), encode(kept)});
  }
}

void erase_final_block(ports::WriteBatch& batch, const ports::Store& store, BlockNumber height) {
  const auto hash = ports::find_final(store, height);
  const auto block = hash ? ports::find_block(store, *hash) : std::nullopt;
  if (!block) return;
  for (const Bytes& extrinsic : block->extrinsics) {
    batch.push_back({Column::tx_index, to_bytes(extrinsic_hash(extrinsic)), std::nullopt});
  }
  batch.push_back(ports::erase_block(*hash));
  batch.push_back({Column::events, to_bytes(*hash), std::nullopt});
  batch.push_back({Column::certificates, to_bytes(*hash), std::nullopt});
}

void prune_blocks(ports::WriteBatch& batch, const ports::Store& store, const Retention& retention,
                  std::uint32_t landing) {
  const BlockNumber head = ports::find_head(store)->number;
  const BlockNumber from = ports::oldest_block(store);
  const std::uint32_t newest = head.value + landing;
  BlockNumber to(newest > retention.blocks ? newest - retention.blocks : 0);
  // A newcomer goes on by blocks from the older snapshot point, and needs that block's body too.
  for (const BlockNumber point : snapshot_points(head, retention.epoch_length)) {
    to = std::min(to, point);
  }
  to = std::min({to, head, BlockNumber(from.value + landing + kExtraHeights)});
  if (to <= from) return;
  for (BlockNumber height = from; height < to; height = height.next()) {
    erase_final_block(batch, store, height);
    const bool ends_epoch =
        retention.epoch_length != 0 && height.value % retention.epoch_length == 0;
    if (!ends_epoch) batch.push_back({Column::heights, ports::height_key(height), std::nullopt});
  }
  batch.push_back(ports::put_oldest_block(to));
}

}  // namespace

std::vector<BlockNumber> snapshot_points(BlockNumber head, std::uint32_t epoch_length) {
  std::vector<BlockNumber> out;
  if (epoch_length == 0) return out;
  const std::uint32_t over = head.value / epoch_length;
  if (over > 1) out.emplace_back((over - 1) * epoch_length);
  if (over > 0) out.emplace_back(over * epoch_length);
  return out;
}

void append_pruning(ports::WriteBatch& batch, const ports::Store& store, const Retention& retention,
                    std::uint32_t landing) {
  if (retention.states != 0) prune_states(batch, store, retention, landing);
  if (retention.blocks != 0) prune_blocks(batch, store, retention, landing);
}

bool is_state_kept(const ports::Store& store, BlockNumber height) {
  return height >= oldest_kept(store) || root_at(store, height).has_value();
}

}  // namespace tally::execution
