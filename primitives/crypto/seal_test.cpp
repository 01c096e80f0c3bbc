#include "primitives/crypto/seal.hpp"

#include <catch2/catch.hpp>

namespace tally {
namespace {

const Secret kRecipient(std::array<std::uint8_t, 32>{1, 2, 3});
const Secret kStranger(std::array<std::uint8_t, 32>{4, 5, 6});

}  // namespace

TEST_CASE("a sealed box opens for its recipient and context") {
  for (std::size_t size : {0u, 1u, 64u, 100'000u}) {
    const Bytes content(size, 0x5a);
    const auto sealed = seal(seal_public(kRecipient), content, "task 1");
    REQUIRE(sealed);
    CHECK(sealed->size() == size + kSealOverhead);
    CHECK(open_sealed(kRecipient, *sealed, "task 1") == content);
    CHECK_FALSE(open_sealed(kRecipient, *sealed, "task 2"));
    CHECK_FALSE(open_sealed(kRecipient, *sealed, ""));
    CHECK_FALSE(open_sealed(kStranger, *sealed, "task 1"));
  }
}

TEST_CASE("a changed, cut or lengthened box does not open") {
  const auto sealed = seal(seal_public(kRecipient), Bytes{1, 2, 3}, "c");
  REQUIRE(sealed);
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    Bytes changed = *sealed;
    changed[i] ^= 1;
    CAPTURE(i);
    CHECK_FALSE(open_sealed(kRecipient, changed, "c"));
    CHECK_FALSE(open_sealed(kRecipient, ByteView(*sealed).first(i), "c"));
  }
  // X25519 ignores the top bit of a key: it is bound by the derivation all the same.
  Bytes top_bit = *sealed;
  top_bit[31] ^= 0x80;
  CHECK_FALSE(open_sealed(kRecipient, top_bit, "c"));
  Bytes longer = *sealed;
  longer.push_back(0);
  CHECK_FALSE(open_sealed(kRecipient, longer, "c"));
}

TEST_CASE("no two boxes of one content are alike") {
  const SealKey key = seal_public(kRecipient);
  CHECK(seal(key, Bytes{1}, "c") != seal(key, Bytes{1}, "c"));
}

TEST_CASE("points of low order are no recipients and no senders") {
  Bytes box(kSealOverhead + 5);
  for (const char* low : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}) {
    const SealKey key = *SealKey::from(*from_hex(low));
    CHECK_FALSE(seal(key, Bytes{1}, "c"));
    std::copy(key.bytes.begin(), key.bytes.end(), box.begin());
    CHECK_FALSE(open_sealed(kRecipient, box, "c"));
  }
}

}  // namespace tally
