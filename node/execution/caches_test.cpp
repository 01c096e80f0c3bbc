#include "node/execution/caches.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <map>

#include "primitives/codec/scale.hpp"

namespace tally::execution {
namespace {

// A handful of hashes for all keys: long runs of places, in every shard.
struct FewHashes {
  std::size_t operator()(std::uint32_t key) const {
    return std::size_t{key % 3} | std::size_t{key % 5} << 34;
  }
};
using Cache = GenerationCache<std::uint32_t, std::uint32_t, FewHashes>;

void step(Cache& cache, std::map<std::uint32_t, std::uint32_t>& model, bool keeps_all) {
  const auto key = *rc::gen::inRange<std::uint32_t>(0, 200);
  const auto kind = *rc::gen::inRange(0, 4);
  if (kind == 0) {
    cache.erase(key);
    model.erase(key);
  } else if (kind == 1) {
    const auto value = *rc::gen::arbitrary<std::uint32_t>();
    cache.put(key, value, 64);
    model[key] = value;
  } else {
    if (kind == 2) {
      const std::uint32_t keys[] = {key, key + 1};
      cache.expect(std::span<const std::uint32_t>(keys), [](std::uint32_t, std::uint32_t) {});
    }
    std::uint32_t found = 0;
    const bool there = cache.find(key, found);
    const auto known = model.find(key);
    if (there) RC_ASSERT((known != model.end() && known->second == found));
    if (keeps_all) RC_ASSERT(there == (known != model.end()));
  }
}

// Shown to fail: with a hole left where an entry was removed; with the entries of the old
// generation kept when a new value comes.
TEST_CASE("cache: what it has is what was put last, and within its budget it has everything") {
  CHECK(rc::check([] {
    Cache cache(std::size_t{1} << 40);
    std::map<std::uint32_t, std::uint32_t> model;
    for (int i = 0; i < 400; ++i) step(cache, model, true);
  }));
}

TEST_CASE("cache: what it forgets it does not have, and nothing old comes back") {
  CHECK(rc::check([] {
    Cache cache(16 * 2 * 64 * 8);  // eight entries in a shard's generation
    std::map<std::uint32_t, std::uint32_t> model;
    for (int i = 0; i < 400; ++i) step(cache, model, false);
  }));
}

TEST_CASE("value cache: a block's changes replace what was known, also that a key has no value") {
  ValueCache cache(1 << 20);
  StateChanges first;
  StateChanges second;
  for (std::uint32_t i = 0; i < 100; ++i) {
    first[encode(i)] = encode(i + 7);
    if (i % 2 == 0) second[encode(i)] = i % 4 == 0 ? std::optional<Bytes>() : encode(i + 9);
  }
  cache.apply(first);
  cache.apply(second);
  for (std::uint32_t i = 0; i < 100; ++i) {
    std::optional<Bytes> value;
    REQUIRE(cache.find(encode(i), value));
    const auto changed = second.find(encode(i));
    CHECK(value == (changed != second.end() ? changed->second : first.at(encode(i))));
  }
  std::optional<Bytes> untouched = Bytes{1};
  CHECK_FALSE(cache.find(encode(std::uint64_t{5}), untouched));
  CHECK(untouched == Bytes{1});
}

TEST_CASE("node cache: the nodes of the newest version, each by its name") {
  std::map<Bytes, Bytes> state;
  for (std::uint32_t i = 0; i < 300; ++i) state[encode(i)] = encode(i);
  const tree::Update built = tree::build(BlockNumber(1), state);
  NodeCache cache(std::size_t{1} << 30);
  cache.apply(built);
  std::vector<tree::NodeKey> keys;
  for (const auto& written : built.nodes) keys.push_back(written.key);
  keys.push_back(keys[0].child(3, BlockNumber(9)));  // not there
  std::vector<NodeCache::NodePointer> nodes(keys.size());
  cache.find_all(keys, nodes);
  for (std::size_t i = 0; i < built.nodes.size(); ++i) CHECK(nodes[i] == built.nodes[i].node);
  CHECK(nodes.back() == nullptr);
  tree::Update gone;
  gone.stale.push_back(keys[1]);
  cache.apply(gone);
  CHECK(cache.find(keys[1]) == nullptr);
  CHECK(cache.find(keys[2]) == built.nodes[2].node);
}

}  // namespace
}  // namespace tally::execution
