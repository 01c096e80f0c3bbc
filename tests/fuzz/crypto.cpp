// Everything that verifies or opens bytes of others: none may accept what no key made.
#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/seal.hpp"
#include "primitives/crypto/vrf.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

const Secret kSecret(std::array<std::uint8_t, 32>{7});

template <class Fixed>
std::optional<Fixed> front(ByteView input) {
  if (input.size() < Fixed::kSize) return std::nullopt;
  return Fixed::from(input.first(Fixed::kSize));
}

}  // namespace

void run(ByteView input) {
  static const VrfKey kKey = vrf_public(kSecret);
  static const VrfProof kProof = vrf_prove(kSecret, as_bytes("alpha"));
  if (const auto proof = front<VrfProof>(input)) {
    TALLY_ASSERT(vrf_verify(kKey, as_bytes("alpha"), *proof).has_value() == (*proof == kProof));
    if (const auto output = vrf_proof_to_hash(*proof)) TALLY_ASSERT(!output->is_zero());
  }
  if (const auto key = front<VrfKey>(input)) {
    TALLY_ASSERT(*key == kKey || !vrf_verify(*key, as_bytes("alpha"), kProof));
    if (vrf_key_is_valid(*key)) TALLY_ASSERT(!key->is_zero());
  }
  if (const auto signature = front<EcdsaSignature>(input)) {
    const Hash digest = blake2_256(input.subspan(EcdsaSignature::kSize));
    if (const auto key = ecdsa_recover(*signature, digest)) {
      EcdsaSignature other = *signature;
      other.bytes[64] ^= 1;
      TALLY_ASSERT(ecdsa_recover(other, digest) != key);
    }
  }
  TALLY_ASSERT(!open_sealed(kSecret, input, "fuzz"));
}

}  // namespace tally::fuzz
