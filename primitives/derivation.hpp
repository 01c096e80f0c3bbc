// Secret URIs: how people name a key that is derived from a phrase or a seed.
//
//   "bottom drive … walk//Alice"   a mnemonic and hard junctions
//   "//Alice"                      the same with the development phrase, which everybody knows
//   "0x0123…"                      32 bytes, then junctions as well
//   "…///password"                 a password for the mnemonic
//
// Each junction makes a seed into another: seed' = blake2_256(SCALE("Secp256k1HDKD" or
// "Ed25519HDKD") ‖ seed ‖ chain code). The chain code is the SCALE string of the junction, padded
// with zeros or hashed to 32 bytes; of a number, its little-endian bytes. Soft junctions ("/x") do
// not exist for these schemes and are refused; so are the two kinds of junction about which clients
// disagree: numbers above 2^64 and hexadecimal with 0x. The same URI is another account in each
// scheme. Sources: Substrate's sp-core DeriveJunction and @polkadot/util-crypto.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "primitives/bip39.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/result.hpp"

namespace tally {

constexpr std::string_view kDevPhrase =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

using ChainCode = std::array<std::uint8_t, 32>;

struct SecretUri {
  Secret root;
  std::vector<ChainCode> junctions;

  // Errors never repeat what was given.
  static Result<SecretUri, Error> parse(std::string_view text);
  Secret derive(KeyScheme scheme) const;
};

// Of the text of a hard junction, without its slashes.
Result<ChainCode, Error> chain_code(std::string_view junction);
Secret derive_hard(KeyScheme scheme, const Secret& seed, const ChainCode& junction);

Result<KeyPair, Error> key_from_uri(KeyScheme scheme, std::string_view uri);
// "Alice" for //Alice; the name must be a valid junction.
KeyPair dev_key(KeyScheme scheme, std::string_view name);

}  // namespace tally
