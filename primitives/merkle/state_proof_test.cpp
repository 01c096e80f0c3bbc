#include "primitives/merkle/state_proof.hpp"

#include <catch2/catch.hpp>

#include "primitives/crypto/hash.hpp"
#include "primitives/merkle/merkle.hpp"

namespace tally {
namespace {

struct Item {
  std::string key;
  std::string value;
  StateLeaf leaf() const {
    return {state_key_hash(as_bytes(key)), state_value_hash(as_bytes(value))};
  }
  StateKeyHash path() const { return leaf().key; }
};

// Two items whose paths first differ at bit `bit`, found by trying names.
std::pair<Item, Item> pair_that_splits_at(std::size_t bit) {
  const Item first{"base", "one"};
  for (int i = 0;; ++i) {
    Item second{"other" + std::to_string(i), "two"};
    std::size_t shared = 0;
    while (path_bit(first.path(), shared) == path_bit(second.path(), shared)) ++shared;
    if (shared == bit) return {first, second};
  }
}

bool proves(const Hash& root, const Item& item, const StateProof& proof) {
  return verify_state_value(root, as_bytes(item.key), to_bytes(as_bytes(item.value)), proof).ok();
}

TEST_CASE("state proof: in an empty tree every key is absent") {
  CHECK(verify_state_value(Hash{}, as_bytes("any"), std::nullopt, StateProof{}).ok());
  CHECK_FALSE(verify_state_value(Hash{}, as_bytes("any"), Bytes{}, StateProof{}).ok());
}

TEST_CASE("state proof: a tree of one leaf is its leaf") {
  const Item item{"alice", "12"};
  const Hash root = state_leaf_hash(item.leaf());
  const StateProof proof{item.leaf(), {}};
  CHECK(proves(root, item, proof));
  CHECK(verify_state_value(root, as_bytes("bob"), std::nullopt, proof).ok());
  CHECK(verify_state_value(root, as_bytes("alice"), std::nullopt, proof).error() ==
        StateProofError::wrong_value);
  CHECK(verify_state_value(root, as_bytes("alice"), Bytes{1}, proof).error() ==
        StateProofError::wrong_value);
  CHECK(verify_state_proof(root, as_bytes("alice"), StateProof{}).error() ==
        StateProofError::wrong_root);
}

TEST_CASE("state proof: leaves below a shared prefix, presence and both kinds of absence") {
  const auto [one, two] = pair_that_splits_at(3);
  const Hash low = state_leaf_hash(one.leaf());
  const Hash high = state_leaf_hash(two.leaf());
  Hash root = path_bit(one.path(), 3) ? merkle_inner(high, low) : merkle_inner(low, high);
  for (std::size_t bit = 3; bit > 0; --bit) {
    root = path_bit(one.path(), bit - 1) ? merkle_inner(Hash{}, root) : merkle_inner(root, Hash{});
  }
  StateProof proof{one.leaf(), {}};
  REQUIRE(proof.siblings.push_back(high));
  for (int i = 0; i < 3; ++i) REQUIRE(proof.siblings.push_back(Hash{}));
  CHECK(proves(root, one, proof));

  // Turning the other way at the first bit ends in the empty subtree; the sibling there is the
  // rest.
  Item stranger{"s0", ""};
  for (int i = 0; path_bit(stranger.path(), 0) == path_bit(one.path(), 0); ++i) {
    stranger.key = "s" + std::to_string(i);
  }
  Hash rest = path_bit(one.path(), 3) ? merkle_inner(high, low) : merkle_inner(low, high);
  for (std::size_t bit = 3; bit > 1; --bit) {
    rest = path_bit(one.path(), bit - 1) ? merkle_inner(Hash{}, rest) : merkle_inner(rest, Hash{});
  }
  StateProof nothing;
  REQUIRE(nothing.siblings.push_back(rest));
  CHECK(verify_state_value(root, as_bytes(stranger.key), std::nullopt, nothing).ok());

  // The leaf of another key proves absence only to keys that share its path down to it.
  CHECK(verify_state_proof(root, as_bytes(stranger.key), proof).error() ==
        StateProofError::wrong_leaf);
}

TEST_CASE("state proof: any change of any hash is seen") {
  const auto [one, two] = pair_that_splits_at(0);
  const Hash low = state_leaf_hash(one.leaf());
  const Hash high = state_leaf_hash(two.leaf());
  const Hash root = path_bit(one.path(), 0) ? merkle_inner(high, low) : merkle_inner(low, high);
  StateProof proof{one.leaf(), {}};
  REQUIRE(proof.siblings.push_back(high));
  REQUIRE(proves(root, one, proof));
  const Bytes good = encode(proof);
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    Bytes bad = good;
    bad[i / 8] = static_cast<std::uint8_t>(bad[i / 8] ^ (1U << (i % 8)));
    const auto decoded = decode<StateProof>(bad);
    CHECK_FALSE((decoded.ok() && proves(root, one, *decoded)));
  }
}

TEST_CASE("state proof: more siblings than a path has bits do not decode") {
  std::vector<Hash> siblings(257);
  Encoder out;
  encode_to(out, std::optional<StateLeaf>());
  encode_to(out, siblings);
  CHECK(decode<StateProof>(out.bytes()).error().code == DecodeErrorCode::too_long);
}

}  // namespace
}  // namespace tally
