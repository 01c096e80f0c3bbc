// Signatures as accounts and validators use them.
//
// secp256k1 ECDSA: 65 bytes r ‖ s ‖ v, v in 0..3, over blake2_256(message); low s only, RFC 6979
// nonces. Ed25519: RFC 8032, over the message itself; verification refuses small-order keys and
// non-canonical s (libsodium). Secret keys are wiped when they go out of scope.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "primitives/bytes.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally {

TALLY_STRONG_BYTES(Ed25519Key, 32);  // public
TALLY_STRONG_BYTES(Ed25519Signature, 64);
TALLY_STRONG_BYTES(Secp256k1Key, 33);  // public, compressed
TALLY_STRONG_BYTES(Sr25519Signature, 64);
TALLY_STRONG_BYTES(EcdsaSignature, 65);

// 32 secret bytes (an Ed25519 seed, a secp256k1 scalar, a VRF seed), wiped on destruction.
class Secret {
 public:
  Secret() = default;
  explicit Secret(const std::array<std::uint8_t, 32>& bytes) : bytes_(bytes) {}
  static std::optional<Secret> from(ByteView bytes);
  static Secret generate();  // from the operating system
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();
  ByteView view() const { return bytes_; }

 private:
  std::array<std::uint8_t, 32> bytes_{};
};

enum class KeyScheme : std::uint8_t { ed25519 = 0, ecdsa = 2 };
TALLY_DESCRIBE_ENUM(KeyScheme, ed25519, ecdsa);

// MultiSignature: Sr25519 is declared so that every client's metadata parser is content, parsed so
// that fee queries with a fake signature work, and refused by verify().
struct SignedEd25519 {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Ed25519";
  Ed25519Signature signature;
  friend bool operator==(const SignedEd25519&, const SignedEd25519&) = default;
};
TALLY_DESCRIBE(SignedEd25519, signature);
struct SignedSr25519 {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Sr25519";
  Sr25519Signature signature;
  friend bool operator==(const SignedSr25519&, const SignedSr25519&) = default;
};
TALLY_DESCRIBE(SignedSr25519, signature);
struct SignedEcdsa {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Ecdsa";
  EcdsaSignature signature;
  friend bool operator==(const SignedEcdsa&, const SignedEcdsa&) = default;
};
TALLY_DESCRIBE(SignedEcdsa, signature);
using MultiSignature = std::variant<SignedEd25519, SignedSr25519, SignedEcdsa>;

enum class SignatureError : std::uint8_t { bad_signature, unsupported_scheme };
TALLY_DESCRIBE_ENUM(SignatureError, bad_signature, unsupported_scheme);

Ed25519Key ed25519_public(const Secret& seed);
Ed25519Signature ed25519_sign(const Secret& seed, ByteView message);
bool ed25519_verify(const Ed25519Key& key, ByteView message, const Ed25519Signature& signature);

// Nothing when the scalar is zero or not below the group order.
std::optional<Secp256k1Key> secp256k1_public(const Secret& scalar);
std::optional<EcdsaSignature> ecdsa_sign(const Secret& scalar, const Hash& digest);
// The key that made the signature; nothing for a high s, a v above 3 or a point at infinity.
std::optional<Secp256k1Key> ecdsa_recover(const EcdsaSignature& signature, const Hash& digest);
// 0x04 ‖ X ‖ Y, as Ethereum's formats carry a key; nothing when the key is no point of the curve.
std::optional<std::array<std::uint8_t, 65>> secp256k1_uncompressed(const Secp256k1Key& key);
AccountId account_of(const Secp256k1Key& key);
AccountId account_of(const Ed25519Key& key);

// Exactly these message bytes: ECDSA hashes them with blake2_256, Ed25519 does not.
Result<void, SignatureError> verify_signature(const AccountId& account, ByteView message,
                                              const MultiSignature& signature);
// Off-chain signatures: the message, or the message wrapped in <Bytes>…</Bytes> as browser wallets
// sign it. Never the rule that hashes payloads over 256 bytes, which is for extrinsics only.
Result<void, SignatureError> verify_offchain(const AccountId& account, ByteView message,
                                             const MultiSignature& signature);

// A key that signs for an account, of either scheme.
class KeyPair {
 public:
  // Nothing when the secret is not a valid key of the scheme.
  static std::optional<KeyPair> from_secret(KeyScheme scheme, const Secret& secret);
  static KeyPair generate(KeyScheme scheme);
  KeyScheme scheme() const { return scheme_; }
  const AccountId& account() const { return account_; }
  const Secret& secret() const { return secret_; }
  MultiSignature sign(ByteView message) const;

 private:
  KeyScheme scheme_{};
  Secret secret_;
  AccountId account_;
};

}  // namespace tally
