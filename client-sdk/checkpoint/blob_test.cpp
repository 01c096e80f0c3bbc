#include "client-sdk/checkpoint/blob.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "client-sdk/checkpoint/fixture_test.hpp"

namespace tally::checkpoint {
namespace {

Expected expected(ByteView state) {
  return {state_hash(state), state.size()};
}

TEST_CASE("the bytes of a blob") {
  const Bytes blob = *pack(as_bytes("abc"));
  // "TALLYCKP", version 1, as it is, 3 bytes, sha256 as FIPS 180-4 gives it, the state
  CHECK(to_hex(blob) ==
        "54414c4c59434b50"
        "01"
        "00"
        "0300000000000000"
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        "616263");
  const Bytes zeros(1'000, 0);
  const Bytes shorter = *pack(zeros);
  CHECK(shorter.size() < 100);
  CHECK(shorter[9] == 1);
}

TEST_CASE("every state comes back") {
  const std::size_t sizes[] = {0, 1, 49, 50, 51, 262'143, 262'144, 262'145};
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    for (const Bytes& state : {Bytes(size, 7), noise(size)}) {
      const auto blob = pack(state);
      REQUIRE(blob.ok());
      CHECK(blob->size() <= blob_bytes_max(size));
      const auto back = unpack(*blob, expected(state));
      REQUIRE(back.ok());
      CHECK(*back == state);
    }
  }
}

TEST_CASE("what does not compress is kept as it is") {
  const Bytes state = noise(262'144);
  CHECK(pack(state)->size() == blob_bytes_max(state.size()));
}

TEST_CASE("a state that is too large is refused before anything is done") {
  CHECK(pack(Bytes(kMaxStateBytes, 0)).ok());
  const auto refused = pack(Bytes(kMaxStateBytes + 1, 0));
  REQUIRE_FALSE(refused.ok());
  CHECK_THAT(refused.error().message, Catch::Contains("67108864"));
}

TEST_CASE("a blob that was changed anywhere is refused") {
  for (const Bytes& state : {noise(300), Bytes(300, 9)}) {
    const Bytes blob = *pack(state);
    for (std::size_t at = 0; at < blob.size(); ++at) {
      CAPTURE(at);
      Bytes bad = blob;
      bad[at] ^= 0x10;
      const auto back = unpack(bad, expected(state));
      // Some bits of a zstd frame mean nothing: what comes back is the state or nothing.
      if (back.ok()) CHECK(*back == state);
      if (at < kBlobHeaderBytes || blob[9] == 0) CHECK_FALSE(back.ok());
    }
    for (std::size_t size = 0; size < blob.size(); ++size) {
      CHECK_FALSE(unpack(ByteView(blob).first(size), expected(state)).ok());
    }
    Bytes longer = blob;
    longer.push_back(0);
    CHECK_FALSE(unpack(longer, expected(state)).ok());
  }
}

TEST_CASE("a blob of another state is refused, however right it is") {
  const Bytes other = *pack(as_bytes("other"));
  const auto back = unpack(other, expected(as_bytes("state")));
  REQUIRE_FALSE(back.ok());
  CHECK_THAT(back.error().message, Catch::Contains("another state"));
}

TEST_CASE("a header cannot make the reader allocate more than the record says") {
  // A small frame that grows to a gigabyte: the record's size is what is made room for.
  BlobHeader header;
  std::copy(BlobHeader::kMagic.begin(), BlobHeader::kMagic.end(), header.magic.begin());
  header.version = BlobHeader::kVersion;
  header.coding = Coding::zstd;
  header.plain_bytes = std::uint64_t{1} << 40;
  Bytes blob = encode(header);
  append(blob, noise(64));
  CHECK_FALSE(unpack(blob, {StateHash{}, 5}).ok());
  CHECK_FALSE(unpack(blob, {StateHash{}, std::uint64_t{1} << 40}).ok());
}

TEST_CASE("random bytes are no blob") {
  CHECK(rc::check("unpack never accepts", [](const Bytes& bytes) {
    RC_ASSERT(!unpack(bytes, expected(as_bytes("state"))).ok());
    Bytes behind = *pack(as_bytes("state"));
    behind.resize(kBlobHeaderBytes);
    append(behind, bytes);
    const auto back = unpack(behind, expected(as_bytes("state")));
    if (back.ok()) RC_ASSERT(*back == to_bytes(as_bytes("state")));
  }));
}

}  // namespace
}  // namespace tally::checkpoint
