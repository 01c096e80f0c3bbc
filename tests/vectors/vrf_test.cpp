#include "primitives/crypto/vrf.hpp"

#include "tests/vectors/vectors.hpp"

namespace tally::vectors {
namespace {

const char* const kOrderTwo = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
const char* const kIdentity = "0100000000000000000000000000000000000000000000000000000000000000";
const char* const kOrderEight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
const char* const kIdentityNotReduced =
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";

}  // namespace

TEST_CASE("VRF proofs and outputs are those of RFC 9381") {
  const Json vectors = load("ecvrf_rfc9381_tai.json")["vectors"];
  REQUIRE(vectors.size() >= 2);
  for (const Json& v : vectors) {
    const Secret seed = *Secret::from(bytes_of(v["sk"]));
    const Bytes alpha = bytes_of(v["alpha"]);
    const auto key = fixed_of<VrfKey>(v["pk"]);
    CHECK(vrf_public(seed) == key);
    const VrfProof proof = vrf_prove(seed, alpha);
    CHECK(to_hex(proof) == v["pi"]);
    const auto output = vrf_verify(key, alpha, proof);
    REQUIRE(output);
    CHECK(to_hex(*output) == v["beta"]);
    CHECK(vrf_proof_to_hash(proof) == output);
  }
}

TEST_CASE("a VRF proof holds for its key, input and bytes only") {
  const Secret seed(std::array<std::uint8_t, 32>{1});
  const VrfKey key = vrf_public(seed);
  const Bytes alpha = {1, 2, 3};
  const VrfProof proof = vrf_prove(seed, alpha);
  REQUIRE(vrf_verify(key, alpha, proof));
  CHECK_FALSE(vrf_verify(vrf_public(Secret(std::array<std::uint8_t, 32>{2})), alpha, proof));
  CHECK_FALSE(vrf_verify(key, Bytes{1, 2}, proof));
  for (std::size_t i = 0; i < VrfProof::kSize; ++i) {
    for (int bit = 0; bit < 8; bit += 7) {
      VrfProof changed = proof;
      changed.bytes[i] = static_cast<std::uint8_t>(changed.bytes[i] ^ 1 << bit);
      CAPTURE(i, bit);
      CHECK_FALSE(vrf_verify(key, alpha, changed));
    }
  }
}

TEST_CASE("a VRF proof has one form: s plus the group order is refused") {
  const Secret seed(std::array<std::uint8_t, 32>{1});
  const VrfProof proof = vrf_prove(seed, {});
  const Bytes order = *from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  VrfProof twin = proof;
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += twin.bytes[48 + i] + order[i];
    twin.bytes[48 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  REQUIRE(carry == 0);
  CHECK(vrf_verify(vrf_public(seed), {}, proof));
  CHECK_FALSE(vrf_verify(vrf_public(seed), {}, twin));
  CHECK_FALSE(vrf_proof_to_hash(twin));
}

TEST_CASE("VRF keys of low order, off the curve or not reduced are refused") {
  const auto key_of = [](const char* hex) { return *VrfKey::from(*from_hex(hex)); };
  for (const char* bad : {kIdentity, kOrderTwo, kOrderEight, kIdentityNotReduced,
                          "0200000000000000000000000000000000000000000000000000000000000000"}) {
    CAPTURE(bad);
    CHECK_FALSE(vrf_key_is_valid(key_of(bad)));
    CHECK_FALSE(
        vrf_verify(key_of(bad), {}, vrf_prove(Secret(std::array<std::uint8_t, 32>{1}), {})));
    VrfProof proof = vrf_prove(Secret(std::array<std::uint8_t, 32>{1}), {});
    std::copy_n(key_of(bad).bytes.begin(), 32, proof.bytes.begin());
    CHECK_FALSE(vrf_verify(vrf_public(Secret(std::array<std::uint8_t, 32>{1})), {}, proof));
    CHECK_FALSE(vrf_proof_to_hash(proof));
  }
  CHECK(vrf_key_is_valid(vrf_public(Secret(std::array<std::uint8_t, 32>{1}))));
}

TEST_CASE("every VRF output of a key differs, and is the same each time") {
  const Secret seed(std::array<std::uint8_t, 32>{3});
  std::set<VrfOutput> seen;
  for (std::uint8_t i = 0; i < 40; ++i) {
    const VrfProof proof = vrf_prove(seed, Bytes{i});
    CHECK(proof == vrf_prove(seed, Bytes{i}));
    const auto output = vrf_verify(vrf_public(seed), Bytes{i}, proof);
    REQUIRE(output);
    CHECK(seen.insert(*output).second);
  }
}

}  // namespace tally::vectors
