// A bounded cache for values that never change or are replaced together with their source. Two
// generations: entries live in the young one; when it has taken half of the budget it becomes the
// old one, and what was in the old one and not asked for since is forgotten. Close to
// least-recently-used, without a list to maintain on every read.
//
// Threads: any; the table is split into shards, each with its own lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace tally::execution {

// One generation: places beside each other in one piece of memory, the next free one is taken
// (linear probing), so that a look-up waits for one line of memory and not for a chain of them.
template <class Key, class Value, class Equal>
class FlatTable {
 public:
  struct Place {
    Value value{};
    Key key{};
    std::uint32_t bytes = 0;
    std::uint32_t tag = 0;  // 0: free
  };
  using Tag = std::uint32_t;

  // Of a hash: its upper half, and never 0. Its other bits choose the shard.
  static Tag tag_of(std::uint64_t hash) { return static_cast<Tag>(hash >> 32) | kTaken; }

  template <class Like>
  Place* find(Tag tag, const Like& key) {
    if (places_.empty()) return nullptr;
    for (std::size_t at = home(tag); places_[at].tag != 0; at = next(at)) {
      if (places_[at].tag == tag && Equal{}(places_[at].key, key)) return &places_[at];
    }
    return nullptr;
  }
  // The first place with this tag, which is the one of its key but for rare chance; null: none.
  const Place* likely(Tag tag) const {
    if (places_.empty()) return nullptr;
    for (std::size_t at = home(tag); places_[at].tag != 0; at = next(at)) {
      if (places_[at].tag == tag) return &places_[at];
    }
    return nullptr;
  }
  // The key is not here yet.
  Place& add(Tag tag) {
    if ((count_ + 1) * 8 > places_.size() * 5) grow();
    std::size_t at = home(tag);
    while (places_[at].tag != 0) at = next(at);
    ++count_;
    places_[at].tag = tag;
    return places_[at];
  }
  // What comes behind moves up, so that no search ends too early.
  void remove(Place* place) {
    auto hole = static_cast<std::size_t>(place - places_.data());
    for (std::size_t at = next(hole); places_[at].tag != 0; at = next(at)) {
      const std::size_t mask = places_.size() - 1;
      const std::size_t from_home = (at - home(places_[at].tag)) & mask;
      if (from_home < ((at - hole) & mask)) continue;
      places_[hole] = std::move(places_[at]);
      hole = at;
    }
    places_[hole] = Place();
    --count_;
  }
  void prefetch(Tag tag) const {
    if (!places_.empty()) __builtin_prefetch(&places_[home(tag)]);
  }

 private:
  static constexpr Tag kTaken = 1;
  static constexpr std::size_t kFirstSize = 64;

  std::size_t home(Tag tag) const { return (tag >> 1) & (places_.size() - 1); }
  std::size_t next(std::size_t at) const { return (at + 1) & (places_.size() - 1); }
  void grow() {
    std::vector<Place> before = std::move(places_);
    places_ = std::vector<Place>(before.empty() ? kFirstSize : before.size() * 2);
    for (Place& place : before) {
      if (place.tag == 0) continue;
      std::size_t at = home(place.tag);
      while (places_[at].tag != 0) at = next(at);
      places_[at] = std::move(place);
    }
  }

  std::vector<Place> places_;  // a power of two
  std::size_t count_ = 0;
};

template <class Key, class Value, class Hasher, class Equal = std::equal_to<>>
class GenerationCache {
 public:
  explicit GenerationCache(std::size_t budget_bytes) : shard_budget_(budget_bytes / kShards / 2) {}

  // False, and `out` untouched, when it is not here. `key` may be of any type that Hasher and
  // Equal take.
  template <class Like>
  bool find(const Like& key, Value& out) {
    const std::uint64_t hash = Hasher{}(key);
    const Tag tag = Table::tag_of(hash);
    Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    if (const Place* place = shard.young.find(tag, key)) {
      out = place->value;
      return true;
    }
    Place* place = shard.old.find(tag, key);
    if (place == nullptr) return false;
    Place moved = std::move(*place);
    shard.old.remove(place);
    out = moved.value;
    insert(shard, std::move(moved));
    return true;
  }

  // Asks for the memory of many entries, so that the look-ups that follow do not wait for one after
  // another; `touch` asks for what a key and a value point to. Changes nothing.
  template <class Like, class Touch>
  void expect(std::span<const Like> keys, Touch&& touch) {
    for (const Like& key : keys) {
      const std::uint64_t hash = Hasher{}(key);
      Shard& shard = shard_of(hash);
      const std::lock_guard lock(shard.mutex);
      shard.young.prefetch(Table::tag_of(hash));
      shard.old.prefetch(Table::tag_of(hash));
    }
    for (const Like& key : keys) {
      const std::uint64_t hash = Hasher{}(key);
      Shard& shard = shard_of(hash);
      const std::lock_guard lock(shard.mutex);
      const Place* place = shard.young.likely(Table::tag_of(hash));
      if (place == nullptr) place = shard.old.likely(Table::tag_of(hash));
      if (place != nullptr) touch(place->key, place->value);
    }
  }

  // `bytes` is what key and value take, roughly.
  template <class Like>
  void put(const Like& key, const Value& value, std::size_t bytes) {
    const std::uint64_t hash = Hasher{}(key);
    const Tag tag = Table::tag_of(hash);
    Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    const auto size = static_cast<std::uint32_t>(bytes);
    if (Place* place = shard.young.find(tag, key)) {
      shard.young_bytes += size;
      shard.young_bytes -= place->bytes;
      place->bytes = size;
      place->value = value;
      return;
    }
    if (Place* place = shard.old.find(tag, key)) shard.old.remove(place);
    if constexpr (std::is_same_v<Key, Like>) {
      insert(shard, {value, key, size, tag});
    } else {
      insert(shard, {value, Key(key.begin(), key.end()), size, tag});
    }
  }

  template <class Like>
  void erase(const Like& key) {
    const std::uint64_t hash = Hasher{}(key);
    const Tag tag = Table::tag_of(hash);
    Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    if (Place* place = shard.young.find(tag, key)) {
      shard.young_bytes -= place->bytes;
      shard.young.remove(place);
    } else if (Place* in_old = shard.old.find(tag, key)) {
      shard.old.remove(in_old);
    }
  }

 private:
  static constexpr std::size_t kShards = 16;
  using Table = FlatTable<Key, Value, Equal>;
  using Place = typename Table::Place;
  using Tag = typename Table::Tag;
  struct Shard {
    std::mutex mutex;
    Table young;
    Table old;
    std::size_t young_bytes = 0;
  };

  Shard& shard_of(std::uint64_t hash) { return shards_[hash & (kShards - 1)]; }

  void insert(Shard& shard, Place place) {
    if (shard.young_bytes + place.bytes > shard_budget_) {
      shard.old = std::move(shard.young);
      shard.young = Table();
      shard.young_bytes = 0;
    }
    shard.young_bytes += place.bytes;
    shard.young.add(place.tag) = std::move(place);
  }

  std::size_t shard_budget_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tally::execution
