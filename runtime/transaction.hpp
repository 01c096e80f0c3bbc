// An extrinsic on its way into a block. Its checks come in steps, each of which gives a type of its
// own, so that no step can be forgotten and none is done twice:
//
//   Transaction         decode_transaction(bytes)              the bytes alone
//   SignedAdditional    validator.additional(tx)               what the fork demands
//   CheckedTransaction  CheckedTransaction::check(tx, extra)   the signature, once
//   ValidTransaction    validator.validate(checked)            nonce and fee on a state
//                       (runtime/validity.hpp has the validator)
//
// A signature is over data that is not in the extrinsic (versions, genesis and birth block), so it
// is good for one fork: execution compares what was signed over with what its own fork demands, and
// never verifies again. A cache of verified signatures is keyed by signature_id().
//
// The order of the refusals: call (malformed), bad_signer, exhausts_resources (too long),
// ancient_birth_block, bad_proof, stale, future, payment.
#pragma once

#include <cstdint>
#include <optional>

#include "primitives/extrinsic.hpp"
#include "runtime/call.hpp"

namespace tally::runtime {

// Numbered as in Substrate's InvalidTransaction.
enum class InvalidTransaction : std::uint8_t {
  call = 0,                 // does not decode: format, call or arguments
  payment = 1,              // the signer cannot pay the fee
  future = 2,               // the nonce is above the account's
  stale = 3,                // the nonce was used
  bad_proof = 4,            // the signature is not the signer's over this payload
  ancient_birth_block = 5,  // the era's birth block is unknown or too old
  exhausts_resources = 6,   // too long, or no room in this block
  bad_signer = 10,          // bare, or signed for an address that is no account
};
TALLY_DESCRIBE_ENUM(InvalidTransaction, call, payment, future, stale, bad_proof,
                    ancient_birth_block, exhausts_resources, bad_signer);

struct Transaction {
  Bytes bytes;  // as submitted, length prefix included
  Hash hash;
  AccountId signer;
  MultiSignature signature;
  SignedExtra extra;
  RuntimeCall call;
  std::size_t call_size = 0;  // the call is the tail of `bytes`
  CallProperties properties;  // weight includes the runtime's own work

  ByteView call_bytes() const { return ByteView(bytes).last(call_size); }
  bool operational() const { return properties.dispatch_class == DispatchClass::operational; }
};

// Fails with call or bad_signer. A signature of any scheme is accepted here, so that fee queries
// with a made-up signature work.
Result<Transaction, InvalidTransaction> decode_transaction(Bytes bytes);

Bytes payload_of(const Transaction& tx, const SignedAdditional& additional);
// blake2_256(signing payload ‖ signature)
Hash signature_id(const Transaction& tx, const SignedAdditional& additional);

// A transaction whose signature was verified over `additional`.
class CheckedTransaction {
 public:
  static Result<CheckedTransaction, InvalidTransaction> check(Transaction tx,
                                                              const SignedAdditional& additional);
  // For a caller that verified this signature over this payload before, as its signature_id tells.
  static CheckedTransaction already_verified(Transaction tx, const SignedAdditional& additional) {
    return CheckedTransaction(std::move(tx), additional);
  }
  const Transaction& tx() const { return tx_; }
  const SignedAdditional& additional() const { return additional_; }

 private:
  CheckedTransaction(Transaction tx, const SignedAdditional& additional)
      : tx_(std::move(tx)), additional_(additional) {}
  Transaction tx_;
  SignedAdditional additional_;
};

}  // namespace tally::runtime
