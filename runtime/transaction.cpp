#include "runtime/transaction.hpp"

#include "primitives/crypto/hash.hpp"
#include "runtime/weights.hpp"

namespace tally::runtime {

Result<Transaction, InvalidTransaction> decode_transaction(Bytes bytes) {
  auto extrinsic = decode_extrinsic(bytes);
  if (!extrinsic.ok()) return fail(InvalidTransaction::call);
  if (!extrinsic->signature) return fail(InvalidTransaction::bad_signer);
  // Only an account id signs; the other address forms name an account that is looked up.
  const auto* signer = std::get_if<AddressId>(&extrinsic->signature->signer);
  if (signer == nullptr || signer->account.is_zero()) return fail(InvalidTransaction::bad_signer);
  auto call = decode<RuntimeCall>(extrinsic->call);
  if (!call.ok()) return fail(InvalidTransaction::call);

  Transaction tx;
  tx.bytes = std::move(bytes);
  tx.hash = extrinsic_hash(tx.bytes);
  tx.signer = signer->account;
  tx.signature = extrinsic->signature->signature;
  tx.extra = extrinsic->signature->extra;
  tx.call = *std::move(call);
  tx.call_size = extrinsic->call.size();
  tx.properties = properties(tx.call);
  tx.properties.weight = Weight(tx.properties.weight.value + kTransactionWeight.value);
  return tx;
}

Bytes payload_of(const Transaction& tx, const SignedAdditional& additional) {
  return signing_payload(tx.call_bytes(), tx.extra, additional);
}

Hash signature_id(const Transaction& tx, const SignedAdditional& additional) {
  return blake2_256({payload_of(tx, additional), encode(tx.signature)});
}

Result<CheckedTransaction, InvalidTransaction> CheckedTransaction::check(
    Transaction tx, const SignedAdditional& additional) {
  if (!verify_signature(tx.signer, payload_of(tx, additional), tx.signature).ok()) {
    return fail(InvalidTransaction::bad_proof);
  }
  return CheckedTransaction(std::move(tx), additional);
}

}  // namespace tally::runtime
