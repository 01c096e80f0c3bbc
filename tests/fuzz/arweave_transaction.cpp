// Transactions and wallets as JSON from strangers: what is read is written, and read, the same.
#include "client-sdk/arweave/transaction.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto tx = arweave::Transaction::from_json(as_text(input));
  if (tx.ok()) {
    const auto again = arweave::Transaction::from_json(tx->to_json());
    TALLY_ASSERT(again.ok() && *again == *tx);
    (void)tx->is_valid();
  }
  const auto key = arweave::RsaKey::from_jwk(as_text(input));
  if (key.ok()) TALLY_ASSERT(arweave::RsaKey::from_jwk(key->to_jwk()).ok());
}

}  // namespace tally::fuzz
