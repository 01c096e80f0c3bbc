#include "primitives/crypto/hash_many.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/lanes/blake2_lanes.hpp"

namespace tally {
namespace {

Bytes message_of(std::size_t size, std::size_t salt) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<std::uint8_t>(i * 31 + salt * 7 + (i * salt >> 3));
  }
  return out;
}

// Shown to fail: with two message words of a round exchanged; with the length of one lane taken for
// all.
TEST_CASE("hashes taken together are those taken alone, for every length and number") {
  for (std::size_t count = 0; count <= 19; ++count) {
    std::vector<Bytes> messages;
    for (std::size_t i = 0; i < count; ++i) messages.push_back(message_of(i * 23 % 150, i + count));
    std::vector<ByteView> views(messages.begin(), messages.end());
    std::vector<Hash> hashes(count);
    blake2_256_many(views, hashes);
    std::vector<std::array<std::uint8_t, 16>> shorts(count);
    blake2_128_many(views, shorts);
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(hashes[i] == blake2_256(messages[i]));
      CHECK(shorts[i] == blake2_128(messages[i]));
    }
  }
  for (std::size_t size = 0; size <= 260; ++size) {
    const Bytes one = message_of(size, 1);
    const Bytes two = message_of(size, 2);
    const std::vector<ByteView> views{one, two};
    std::vector<Hash> hashes(2);
    blake2_256_many(views, hashes);
    CHECK(hashes[0] == blake2_256(one));
    CHECK(hashes[1] == blake2_256(two));
  }
}

TEST_CASE("tagged pairs hash to blake2_256 of the tag and both parts") {
  for (std::size_t count = 0; count <= 19; ++count) {
    std::vector<Bytes> parts;
    for (std::size_t i = 0; i < 2 * count; ++i) parts.push_back(message_of(32, i + 3 * count));
    std::vector<Hash> hashes(count);
    std::vector<TaggedPair> pairs;
    for (std::size_t i = 0; i < count; ++i) {
      pairs.push_back({parts[2 * i].data(), parts[2 * i + 1].data(), &hashes[i]});
    }
    const auto tag = static_cast<std::uint8_t>(count * 13);
    hash_tagged_pairs(tag, pairs);
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(hashes[i] == blake2_256({ByteView(&tag, 1), parts[2 * i], parts[2 * i + 1]}));
    }
  }
}

#if defined(__x86_64__)
// Each instruction set that this processor has, not only the one that is chosen.
TEST_CASE("every kind of vector register gives the same digests") {
  for (const bool pairs : {false, true}) {
    lanes::Group group{};
    std::vector<Bytes> messages;
    for (std::size_t lane = 0; lane < lanes::kLanes; ++lane) {
      messages.push_back(message_of(pairs ? 65 : lane * 18, lane));
      Bytes block = messages.back();
      block.resize(128);
      for (std::size_t i = 0; i < lanes::kBlockWords; ++i) {
        std::memcpy(&group.message[i][lane], block.data() + 8 * i, 8);
      }
      group.bytes[lane] = messages.back().size();
    }
    const auto check = [&](void (*hash)(lanes::Group&, bool)) {
      for (auto& row : group.digest) std::fill(std::begin(row), std::end(row), 0);
      hash(group, pairs);
      for (std::size_t lane = 0; lane < lanes::kLanes; ++lane) {
        Hash found;
        for (std::size_t i = 0; i < lanes::kDigestWords; ++i) {
          std::memcpy(found.bytes.data() + 8 * i, &group.digest[i][lane], 8);
        }
        CHECK(found == blake2_256(messages[lane]));
      }
    };
    if (__builtin_cpu_supports("avx2")) check(lanes::detail::hash_avx2);
    if (__builtin_cpu_supports("avx512f")) check(lanes::detail::hash_avx512);
  }
}
#endif

}  // namespace
}  // namespace tally
