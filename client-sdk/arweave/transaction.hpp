// Arweave transactions of format 2: made, signed, checked, and read from JSON.
//
//   Transaction tx = Transaction::for_data(data, tags);
//   tx.last_tx = anchor; tx.reward_winston = price;
//   tx.sign(key);
//
// signed are 48 bytes, the deep hash of [ "2", owner, target, quantity, reward, last_tx, tags,
// data_size, data_root ], numbers in decimal; by RSA-PSS (rsa.hpp). The id is the SHA-256 of the
// signature. Amounts are winston, 10^-12 AR; more than 2^64 - 1 of them (18 million AR) is refused.
//
// Source: arweave-js 1.15.7; vectors in tests/vectors/arweave/transactions.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "client-sdk/arweave/rsa.hpp"
#include "client-sdk/arweave/tags.hpp"

namespace tally::arweave {

struct Transaction {
  Bytes last_tx;  // the anchor, at most 48 bytes
  Bytes owner;    // the modulus
  Tags tags;
  Bytes target;  // empty, or an address of 32 bytes
  std::uint64_t quantity_winston = 0;
  std::uint64_t data_size = 0;
  std::optional<Hash256> data_root;  // nothing when there are no data
  std::uint64_t reward_winston = 0;
  Bytes signature;
  Bytes data;  // what came or goes with the header; may be empty when data_size is not
  friend bool operator==(const Transaction&, const Transaction&) = default;

  // Of everything about the data but the data themselves. `tags` must be valid.
  static Transaction for_data(ByteView data, Tags tags);

  Hash384 signature_data() const;
  void sign(const RsaKey& key);
  std::string id() const;  // 43 characters
  // By its owner, and `data`, where there are any, are those of data_root.
  bool is_valid() const;

  std::string to_json() const;
  // Strict: every field of its type and range, byte strings canonical, `id` that of the signature,
  // tags within their limits. Fields that are not a transaction's are passed over. Says nothing of
  // the signature: is_valid() does.
  static Result<Transaction, Error> from_json(std::string_view text);
};

// A decimal number without sign or leading zeros, as amounts and sizes are written.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace tally::arweave
