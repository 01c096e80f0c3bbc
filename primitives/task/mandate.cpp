#include "primitives/task/mandate.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

Bytes signed_bytes(const Hash& genesis_hash, const Mandate& mandate) {
  Bytes out = domain_tag("mandate");
  append(out, genesis_hash.view());
  append(out, encode(mandate));
  return out;
}

}  // namespace

SignedMandate sign_mandate(const KeyPair& requester, const Hash& genesis_hash,
                           const Mandate& mandate) {
  return {.mandate = mandate, .signature = requester.sign(signed_bytes(genesis_hash, mandate))};
}

bool mandate_signature_is_valid(const Hash& genesis_hash, const SignedMandate& mandate) {
  return verify_offchain(mandate.mandate.requester, signed_bytes(genesis_hash, mandate.mandate),
                         mandate.signature)
      .ok();
}

}  // namespace tally::task
