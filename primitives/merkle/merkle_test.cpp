#include "primitives/merkle/merkle.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "primitives/crypto/hash.hpp"

namespace tally {
namespace {

// The definition of RFC 6962 section 2.1 word by word, over byte strings and on its own hash calls.
Hash model_root(const std::vector<Hash>& items, std::size_t begin, std::size_t end) {
  if (begin == end) return {};
  Bytes input;
  if (end - begin == 1) {
    input.push_back(0x00);
    append(input, items[begin]);
    return blake2_256(input);
  }
  std::size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  input.push_back(0x01);
  append(input, model_root(items, begin, begin + split));
  append(input, model_root(items, begin + split, end));
  return blake2_256(input);
}

std::vector<Hash> numbered(std::size_t count) {
  std::vector<Hash> items;
  for (std::uint64_t i = 0; i < count; ++i) items.push_back(blake2_256(encode(i)));
  return items;
}

TEST_CASE("list root: RFC 6962 shape at every length up to 70") {
  for (std::size_t count = 0; count <= 70; ++count) {
    const std::vector<Hash> items = numbered(count);
    Mmr range;
    for (const Hash& item : items) range.append(item);
    CHECK(merkle_root(items) == model_root(items, 0, count));
    CHECK(range.root() == model_root(items, 0, count));
    CHECK(range.count == count);
    CHECK(range.is_well_formed());
  }
}

TEST_CASE("list root: the empty list is zeros and a lone item is tagged") {
  CHECK(merkle_root({}).is_zero());
  CHECK(Mmr{}.root().is_zero());
  const std::vector<Hash> one = numbered(1);
  CHECK(merkle_root(one) != one[0]);
}

TEST_CASE("list root: golden roots") {
  // Calculated with Python's hashlib.blake2b(digest_size=32) from the definition.
  CHECK(to_hex(merkle_root(numbered(1))) ==
        "41a2fb3f1b568087e40f6ea073709ba923d92de44c2b423623e0700b5d514e6f");
  CHECK(to_hex(merkle_root(numbered(7))) ==
        "a473b47c09551a2ba3aa62ac93afd06a31959e7b7fec817c2238be1d265d00de");
}

TEST_CASE("inclusion: every place of every length is provable, and nothing else verifies") {
  for (std::size_t count = 1; count <= 33; ++count) {
    const std::vector<Hash> items = numbered(count);
    const Hash root = merkle_root(items);
    for (std::uint64_t index = 0; index < count; ++index) {
      const auto proof = prove_inclusion(items, index);
      REQUIRE(proof.has_value());
      CHECK(verify_inclusion(root, items[index], *proof));
      CHECK(verify_inclusion(root, items[(index + 1) % count], *proof) == (count == 1));
      InclusionProof elsewhere = *proof;
      elsewhere.index = (index + 1) % count;
      CHECK(verify_inclusion(root, items[index], elsewhere) == (count == 1));
      InclusionProof longer = *proof;
      REQUIRE(longer.path.push_back(Hash{}));
      CHECK_FALSE(verify_inclusion(root, items[index], longer));
      for (std::size_t step = 0; step < proof->path.size(); ++step) {
        InclusionProof bent = *proof;
        bent.path[step].bytes[31] ^= 1;
        CHECK_FALSE(verify_inclusion(root, items[index], bent));
      }
    }
    CHECK_FALSE(prove_inclusion(items, count).has_value());
  }
}

TEST_CASE("inclusion: an index outside the list and absurd counts are refused") {
  const std::vector<Hash> items = numbered(4);
  InclusionProof proof = *prove_inclusion(items, 3);
  proof.count = 3;
  CHECK_FALSE(verify_inclusion(merkle_root(items), items[3], proof));
  proof = {.index = 0, .count = ~std::uint64_t{0}, .path = {}};
  CHECK_FALSE(verify_inclusion(merkle_root(items), items[0], proof));
  CHECK_FALSE(verify_inclusion(Hash{}, Hash{}, InclusionProof{}));
}

TEST_CASE("accumulator: peaks that do not fit the count are seen") {
  Mmr range;
  for (const Hash& item : numbered(5)) range.append(item);
  REQUIRE(range.peaks.size() == 2);
  range.count = 7;
  CHECK_FALSE(range.is_well_formed());
  CHECK(decode<Mmr>(encode(range)).ok());
}

TEST_CASE("accumulator: random lists agree with the definition, and its bytes come back") {
  CHECK(rc::check([](const std::vector<std::uint64_t>& values) {
    std::vector<Hash> items;
    Mmr range;
    for (const std::uint64_t value : values) {
      items.push_back(blake2_256(encode(value)));
      range.append(items.back());
    }
    RC_ASSERT(range.root() == model_root(items, 0, items.size()));
    RC_ASSERT(*decode<Mmr>(encode(range)) == range);
  }));
}

}  // namespace
}  // namespace tally
