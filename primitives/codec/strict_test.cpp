// Round trips and strictness of the codec, over drawn values of every kind of type and of every
// wire type of the primitives. Breaking any check of scale.hpp (say, that maps ascend) fails them.
#include <catch2/catch.hpp>

#include "primitives/extrinsic.hpp"
#include "primitives/header.hpp"
#include "tests/support/strict_codec.hpp"

namespace tally {

using tests::codec_is_strict;
using tests::draw;
using tests::edited;
using tests::Source;

TEST_CASE("integers, compacts, texts and lists have one encoding") {
  CHECK(codec_is_strict<std::uint8_t>());
  CHECK(codec_is_strict<std::int16_t>());
  CHECK(codec_is_strict<u128>());
  CHECK(codec_is_strict<i128>());
  CHECK(codec_is_strict<bool>());
  CHECK(codec_is_strict<Compact<std::uint8_t>>());
  CHECK(codec_is_strict<Compact<std::uint16_t>>());
  CHECK(codec_is_strict<Compact<BlockNumber>>());
  CHECK(codec_is_strict<Compact<std::uint64_t>>());
  CHECK(codec_is_strict<Compact<Balance>>());
  CHECK(codec_is_strict<std::string>());
  CHECK(codec_is_strict<Bytes>());
  CHECK(codec_is_strict<std::vector<std::string>>());
  CHECK(codec_is_strict<BoundedVec<std::uint16_t, 3>>());
  CHECK(codec_is_strict<std::array<std::uint32_t, 3>>());
}

TEST_CASE("options, tuples, maps and sets have one encoding") {
  CHECK(codec_is_strict<std::optional<std::optional<bool>>>());
  CHECK(codec_is_strict<std::tuple<std::uint8_t, std::string, Compact<u128>>>());
  CHECK(codec_is_strict<std::map<std::uint8_t, std::optional<std::uint8_t>>>());
  CHECK(codec_is_strict<std::map<std::string, std::vector<BalanceDelta>>>());
  CHECK(codec_is_strict<std::set<std::uint8_t>>());
  CHECK(codec_is_strict<std::set<Hash>>());
}

TEST_CASE("the wire types of headers, blocks and extrinsics have one encoding") {
  CHECK(codec_is_strict<DigestItem>());
  CHECK(codec_is_strict<Header>());
  CHECK(codec_is_strict<ConsensusDigest>());
  CHECK(codec_is_strict<Block>());
  CHECK(codec_is_strict<Era>());
  CHECK(codec_is_strict<MultiAddress>());
  CHECK(codec_is_strict<MultiSignature>());
  CHECK(codec_is_strict<SignedExtra>());
  CHECK(codec_is_strict<SignedAdditional>());
  CHECK(codec_is_strict<ExtrinsicSignature>());
}

TEST_CASE("extrinsics have one encoding") {
  CHECK(rc::check([](std::uint64_t seed) {
    Source from(seed);
    const Extrinsic extrinsic{draw<std::optional<ExtrinsicSignature>>(from), draw<Bytes>(from)};
    Bytes bytes = encode_extrinsic(extrinsic);
    const auto decoded = decode_extrinsic(bytes);
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == extrinsic);
    for (int edits = 0; edits < 4; ++edits) {
      bytes = edited(std::move(bytes), from);
      const auto other = decode_extrinsic(bytes);
      if (other.ok()) RC_ASSERT(encode_extrinsic(*other) == bytes);
    }
  }));
}

// A length field of 2^32 - 1 over a short input: answered without an allocation of that size, which
// the test's memory would not survive a hundred times over.
TEST_CASE("a length field buys no memory") {
  for (const char* hex : {"03ffffffff", "03ffffffff00", "feffffff", "07ffffffffff", "33ffffffff"}) {
    const Bytes bytes = *from_hex(hex);
    CHECK_FALSE(decode<Bytes>(bytes).ok());
    CHECK_FALSE(decode<std::string>(bytes).ok());
    CHECK_FALSE(decode<std::vector<Header>>(bytes).ok());
    CHECK_FALSE((decode<std::map<Hash, Hash>>(bytes).ok()));
    CHECK_FALSE((decode<BoundedVec<std::uint8_t, 100>>(bytes).ok()));
  }
}

}  // namespace tally
