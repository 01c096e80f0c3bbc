// Whether a transaction may go into a block on a given parent, and what the pool wants to know of
// it.
#pragma once

#include <memory>
#include <optional>

#include "modules/system/api.hpp"
#include "runtime/transaction.hpp"

namespace tally::runtime {

struct ValidTransaction {
  AccountId sender;
  Nonce nonce;
  Nonce account_nonce;  // below `nonce`: not yet, other transactions come first
  Balance fee;
  Balance tip;
  Balance paid;       // fee and tip
  Balance spendable;  // by the sender; less than `paid` only where the fee may be owed
  // The channel for whose defence the fee may be owed, if TransactionValidator::may_owe() says so.
  std::optional<ChannelId> refutes;
  // Higher goes first: µCC of fee and tip per microsecond of weight; operational calls above all
  // others.
  std::uint64_t priority{};
  std::optional<BlockNumber> death;  // the first block that it cannot be in
  bool operational = false;
  Weight weight;
};

// For one parent; keep it while that block is the head. The state outlives it. Not thread-safe.
class TransactionValidator {
 public:
  explicit TransactionValidator(const system::Parent& parent);
  ~TransactionValidator();
  TransactionValidator(const TransactionValidator&) = delete;
  TransactionValidator& operator=(const TransactionValidator&) = delete;

  // What the signature has to cover besides the extrinsic's own bytes, in the next block.
  // Fails with exhausts_resources (too long) or ancient_birth_block.
  Result<SignedAdditional, InvalidTransaction> additional(const Transaction& tx) const;
  // Fails with those, bad_proof, stale or payment. A nonce above the account's is no failure here.
  Result<ValidTransaction, InvalidTransaction> validate(const CheckedTransaction& tx) const;
  // The same without may_owe(): a refutation whose sender cannot pay is no failure here.
  Result<ValidTransaction, InvalidTransaction> preview(const CheckedTransaction& tx) const;
  // Whether the channel that it defends would pay for it: verifies up to four signatures.
  bool may_owe(const Transaction& tx) const;
  // What it costs, the signature unseen.
  Result<Balance, InvalidTransaction> fee(const Transaction& tx) const;

  struct Payer {
    Nonce nonce;  // of its next transaction
    Balance spendable;
  };
  Payer payer(const AccountId& account) const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace tally::runtime
