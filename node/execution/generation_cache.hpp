// A bounded cache for values that never change or are replaced together with their source. Two
// generations: entries live in the young one; when it has taken half of the budget it becomes the
// old one, and what was in the old one and not asked for since is forgotten. Close to
// least-recently-used, without a list to maintain on every read.
//
// Threads: any; the table is split into shards, each with its own lock.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace tally::execution {

template <class Key, class Value, class Hasher>
class GenerationCache {
 public:
  explicit GenerationCache(std::size_t budget_bytes) : shard_budget_(budget_bytes / kShards / 2) {}

  // False, and `out` untouched, when it is not here.
  bool find(const Key& key, Value& out) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    if (const auto it = shard.young.find(key); it != shard.young.end()) {
      out = it->second.value;
      return true;
    }
    const auto it = shard.old.find(key);
    if (it == shard.old.end()) return false;
    Entry entry = std::move(it->second);
    shard.old.erase(it);
    out = entry.value;
    insert(shard, key, std::move(entry));
    return true;
  }

  // `bytes` is what key and value take, roughly.
  void put(const Key& key, Value value, std::size_t bytes) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    drop(shard, key);
    insert(shard, key, {std::move(value), bytes});
  }

  void erase(const Key& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    drop(shard, key);
  }

 private:
  static constexpr std::size_t kShards = 16;
  struct Entry {
    Value value;
    std::size_t bytes;
  };
  using Table = std::unordered_map<Key, Entry, Hasher>;
  struct Shard {
    std::mutex mutex;
    Table young;
    Table old;
    std::size_t young_bytes = 0;
  };

  Shard& shard_of(const Key& key) { return shards_[Hasher{}(key) >> 7 & (kShards - 1)]; }

  static void drop(Shard& shard, const Key& key) {
    if (const auto it = shard.young.find(key); it != shard.young.end()) {
      shard.young_bytes -= it->second.bytes;
      shard.young.erase(it);
    }
    shard.old.erase(key);
  }

  void insert(Shard& shard, const Key& key, Entry entry) {
    if (shard.young_bytes + entry.bytes > shard_budget_) {
      shard.old = std::move(shard.young);
      shard.young = Table();
      shard.young_bytes = 0;
    }
    shard.young_bytes += entry.bytes;
    shard.young.emplace(key, std::move(entry));
  }

  std::size_t shard_budget_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tally::execution
