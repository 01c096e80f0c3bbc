// RSA as Arweave uses it: 4096 bits, e = 65537, RSASSA-PSS with SHA-256 and MGF1-SHA-256.
//
// Signatures are made with a salt of 32 bytes, and verified with any: arweave-js under Node uses
// the longest. A wallet travels between programs as a JWK (RFC 7517, RFC 7518 section 6.3), all
// numbers base64url, big endian.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "client-sdk/arweave/digest.hpp"
#include "primitives/result.hpp"

namespace tally::arweave {

constexpr std::size_t kRsaBytes = 512;  // modulus and signature of a wallet's key

// Whether `signature` is by the key with this modulus; moduli of 2048 to 4096 bits.
bool rsa_verify(ByteView modulus, ByteView message, ByteView signature);

// A private key. Copies share it; the memory is wiped when the last one goes.
class RsaKey {
 public:
  // 4096 bits; takes seconds.
  static RsaKey generate();
  // Refuses what is no complete, consistent RSA private key with e = 65537 and 2048 to 4096 bits.
  static Result<RsaKey, Error> from_jwk(std::string_view jwk);
  std::string to_jwk() const;

  const Bytes& modulus() const { return modulus_; }
  Bytes sign(ByteView message) const;

 private:
  struct Handle;
  RsaKey(std::shared_ptr<const Handle> key, Bytes modulus)
      : key_(std::move(key)), modulus_(std::move(modulus)) {}
  std::shared_ptr<const Handle> key_;
  Bytes modulus_;
};

// Of an owner: base64url of the SHA-256 of the modulus, or of a data item's owner bytes.
std::string address_of(ByteView owner);

}  // namespace tally::arweave
