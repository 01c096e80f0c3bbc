#include "primitives/task/receipt.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

Bytes signed_bytes(const Receipt& receipt) {
  Bytes out = domain_tag("receipt");
  append(out, encode(receipt));
  return out;
}

}  // namespace

Hash receipt_hash(const Receipt& receipt) {
  return blake2_256(signed_bytes(receipt));
}

SignedReceipt sign_receipt(const KeyPair& worker, const Receipt& receipt) {
  return {.receipt = receipt, .signature = worker.sign(signed_bytes(receipt))};
}

bool receipt_signature_is_valid(const SignedReceipt& receipt) {
  return verify_offchain(receipt.receipt.worker, signed_bytes(receipt.receipt), receipt.signature)
      .ok();
}

}  // namespace tally::task
