#include "primitives/extrinsic.hpp"

#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto extrinsic = decode_extrinsic(input);
  if (extrinsic.ok()) {
    TALLY_ASSERT(equal(encode_extrinsic(*extrinsic), input));
    if (extrinsic->signature) {
      const Era& era = extrinsic->signature->extra.era;
      const BlockNumber current(1'000'000);
      TALLY_ASSERT(era.is_immortal() ||
                   (era.birth(current) <= current && era.death(current)->value > current.value));
      if (const auto account = lookup(extrinsic->signature->signer)) {
        // What was not signed for this payload cannot verify: the fuzzer has no keys.
        TALLY_ASSERT(!verify_signature(*account, signing_payload(extrinsic->call, {}, {}),
                                       extrinsic->signature->signature)
                          .ok());
      }
    }
  }
  decode_strictly<MultiAddress>(input);
  decode_strictly<Era>(input);
  decode_strictly<ExtrinsicSignature>(input);
}

}  // namespace tally::fuzz
