// ANS-104 data items: bytes with tags, signed by any of several kinds of key, that travel bundled
// in one Arweave transaction (bundle.hpp).
//
//   u16 signature type | signature | owner | u8 has_target [32] | u8 has_anchor [32] |
//   u64 tag count | u64 tag bytes | tags | data                              (little endian)
//
// | type | key | signature / owner | signed |
// | 1 | Arweave RSA 4096 | 512 / 512 | the 48 bytes, RSA-PSS |
// | 2 | Ed25519          |  64 / 32  | the 48 bytes |
// | 3 | secp256k1        |  65 / 65  | Keccak-256 of the Ethereum message prefix and the 48 bytes |
//
// The 48 bytes are the deep hash of [ "dataitem", "1", type, owner, target, anchor, tags, data ].
// Types 2 and 3 are what accounts of the chain sign with: RFC 8032 and RFC 6979, so that the same
// content gives the same item and id. Other types are refused by their number. Type 3 is checked
// with its recovery byte (27 or 28), which others pass over.
//
// Source: ANS-104; arbundles 1.0.4; vectors in tests/vectors/arweave/dataitems.json.
#pragma once

#include <optional>
#include <string>

#include "client-sdk/arweave/rsa.hpp"
#include "client-sdk/arweave/tags.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::arweave {

enum class SignatureType : std::uint16_t { arweave = 1, ed25519 = 2, ethereum = 3 };

struct ItemContent {
  Tags tags;
  Bytes data;
  std::optional<Hash256> target{};
  std::optional<Hash256> anchor{};
  friend bool operator==(const ItemContent&, const ItemContent&) = default;
};

struct DataItem {
  SignatureType type{};
  Bytes signature;
  Bytes owner;
  ItemContent content;
  friend bool operator==(const DataItem&, const DataItem&) = default;

  Hash384 signature_data() const;
  bool is_valid() const;
  std::string id() const;  // 43 characters
  Hash256 raw_id() const;
  Bytes encode() const;
  // Strict: nothing after the data can be told apart from them, everything before has one encoding.
  // Says nothing of the signature: is_valid() does.
  static Result<DataItem, Error> decode(ByteView bytes);
};

// Signed by an account of the chain: type 2 for Ed25519, type 3 for secp256k1. Tags must be valid.
DataItem sign_item(const KeyPair& key, ItemContent content);
// Signed by an Arweave wallet of 4096 bits.
DataItem sign_item(const RsaKey& key, ItemContent content);

// The owner bytes of the items that an account signs.
Bytes item_owner(const KeyPair& key);

}  // namespace tally::arweave
