#include "primitives/extrinsic.hpp"

#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {
namespace {

// The fuzzer has no keys. But of any message and ECDSA signature a key can be recovered, and it
// finds the account of that key by itself: then the signature must hold for that message alone.
void verify(const Extrinsic& extrinsic) {
  const auto account = lookup(extrinsic.signature->signer);
  if (!account) return;
  const MultiSignature& signature = extrinsic.signature->signature;
  Bytes payload = signing_payload(extrinsic.call, {}, {});
  const bool holds = verify_signature(*account, payload, signature).ok();
  TALLY_ASSERT(!holds || std::holds_alternative<SignedEcdsa>(signature));
  payload[0] ^= 1;
  TALLY_ASSERT(!holds || !verify_signature(*account, payload, signature).ok());
}

}  // namespace

void run(ByteView input) {
  const auto extrinsic = decode_extrinsic(input);
  if (extrinsic.ok()) {
    TALLY_ASSERT(equal(encode_extrinsic(*extrinsic), input));
    if (extrinsic->signature) {
      const Era& era = extrinsic->signature->extra.era;
      const BlockNumber current(1'000'000);
      TALLY_ASSERT(era.is_immortal() ||
                   (era.birth(current) <= current && era.death(current)->value > current.value));
      verify(*extrinsic);
    }
  }
  decode_strictly<MultiAddress>(input);
  decode_strictly<Era>(input);
  decode_strictly<ExtrinsicSignature>(input);
}

}  // namespace tally::fuzz
