#include "primitives/crypto/sign.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <sodium.h>

#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/sodium.hpp"

namespace tally {
namespace {

// One for the process: making it costs far more than a signature, and it may be used from all
// threads at once after it was blinded. Blinding protects the secret scalar against power and
// timing analysis and does not change a signature.
const secp256k1_context* signing_context() {
  static const secp256k1_context* const context = [] {
    detail::ready_sodium();
    secp256k1_context* made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    TALLY_ASSERT(made != nullptr);
    std::array<std::uint8_t, 32> seed;
    randombytes_buf(seed.data(), seed.size());
    TALLY_ASSERT(secp256k1_context_randomize(made, seed.data()) == 1);
    sodium_memzero(seed.data(), seed.size());
    return made;
  }();
  return context;
}

Secp256k1Key compressed(const secp256k1_pubkey& key) {
  Secp256k1Key out;
  std::size_t size = Secp256k1Key::kSize;
  secp256k1_ec_pubkey_serialize(secp256k1_context_static, out.bytes.data(), &size, &key,
                                SECP256K1_EC_COMPRESSED);
  return out;
}

// libsodium's expanded key is seed ‖ public key, so a known public key spares a multiplication.
Ed25519Signature sign_expanded(const Secret& seed, const Ed25519Key& key, ByteView message) {
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;
  std::memcpy(expanded.data(), seed.view().data(), 32);
  std::memcpy(expanded.data() + 32, key.bytes.data(), 32);
  Ed25519Signature out;
  crypto_sign_detached(out.bytes.data(), nullptr, message.data(), message.size(), expanded.data());
  sodium_memzero(expanded.data(), expanded.size());
  return out;
}

}  // namespace

std::optional<Secret> Secret::from(ByteView bytes) {
  Secret out;
  if (bytes.size() != out.bytes_.size()) return std::nullopt;
  std::memcpy(out.bytes_.data(), bytes.data(), bytes.size());
  return out;
}

Secret Secret::generate() {
  detail::ready_sodium();
  Secret out;
  randombytes_buf(out.bytes_.data(), out.bytes_.size());
  return out;
}

Secret::~Secret() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

Ed25519Key ed25519_public(const Secret& seed) {
  detail::ready_sodium();
  Ed25519Key out;
  std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;
  crypto_sign_seed_keypair(out.bytes.data(), expanded.data(), seed.view().data());
  sodium_memzero(expanded.data(), expanded.size());
  return out;
}

Ed25519Signature ed25519_sign(const Secret& seed, ByteView message) {
  return sign_expanded(seed, ed25519_public(seed), message);
}

bool ed25519_verify(const Ed25519Key& key, ByteView message, const Ed25519Signature& signature) {
  detail::ready_sodium();
  return crypto_sign_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

std::optional<Secp256k1Key> secp256k1_public(const Secret& scalar) {
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_create(signing_context(), &key, scalar.view().data()) != 1) {
    return std::nullopt;
  }
  return compressed(key);
}

std::optional<EcdsaSignature> ecdsa_sign(const Secret& scalar, const Hash& digest) {
  secp256k1_ecdsa_recoverable_signature made;
  if (secp256k1_ecdsa_sign_recoverable(signing_context(), &made, digest.bytes.data(),
                                       scalar.view().data(), secp256k1_nonce_function_rfc6979,
                                       nullptr) != 1) {
    return std::nullopt;
  }
  EcdsaSignature out;
  int recovery_id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static,
                                                          out.bytes.data(), &recovery_id, &made);
  out.bytes[64] = static_cast<std::uint8_t>(recovery_id);
  return out;
}

std::optional<Secp256k1Key> ecdsa_recover(const EcdsaSignature& signature, const Hash& digest) {
  const secp256k1_context* context = secp256k1_context_static;
  // The library aborts on a recovery id outside 0..3, so it is looked at first.
  if (signature.bytes[64] > 3) return std::nullopt;
  secp256k1_ecdsa_recoverable_signature recoverable;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(
          context, &recoverable, signature.bytes.data(), signature.bytes[64]) != 1) {
    return std::nullopt;
  }
  secp256k1_ecdsa_signature plain;
  secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &recoverable);
  const bool high_s = secp256k1_ecdsa_signature_normalize(context, nullptr, &plain) == 1;
  secp256k1_pubkey key;
  if (high_s || secp256k1_ecdsa_recover(context, &key, &recoverable, digest.bytes.data()) != 1) {
    return std::nullopt;
  }
  return compressed(key);
}

std::optional<std::array<std::uint8_t, 65>> secp256k1_uncompressed(const Secp256k1Key& key) {
  const secp256k1_context* context = secp256k1_context_static;
  secp256k1_pubkey point;
  if (secp256k1_ec_pubkey_parse(context, &point, key.bytes.data(), key.bytes.size()) != 1) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 65> out{};
  std::size_t size = out.size();
  secp256k1_ec_pubkey_serialize(context, out.data(), &size, &point, SECP256K1_EC_UNCOMPRESSED);
  return out;
}

AccountId account_of(const Secp256k1Key& key) {
  AccountId out;
  out.bytes = blake2_256(key.view()).bytes;
  return out;
}

AccountId account_of(const Ed25519Key& key) {
  AccountId out;
  out.bytes = key.bytes;
  return out;
}

Result<void, SignatureError> verify_signature(const AccountId& account, ByteView message,
                                              const MultiSignature& signature) {
  if (std::holds_alternative<SignedSr25519>(signature)) {
    return fail(SignatureError::unsupported_scheme);
  }
  if (const auto* ed25519 = std::get_if<SignedEd25519>(&signature)) {
    Ed25519Key key;
    key.bytes = account.bytes;
    if (!ed25519_verify(key, message, ed25519->signature)) {
      return fail(SignatureError::bad_signature);
    }
    return {};
  }
  const auto key = ecdsa_recover(std::get<SignedEcdsa>(signature).signature, blake2_256(message));
  if (!key || account_of(*key) != account) return fail(SignatureError::bad_signature);
  return {};
}

Result<void, SignatureError> verify_offchain(const AccountId& account, ByteView message,
                                             const MultiSignature& signature) {
  auto plain = verify_signature(account, message, signature);
  if (plain.ok() || plain.error() == SignatureError::unsupported_scheme) return plain;
  Bytes wrapped;
  append(wrapped, as_bytes("<Bytes>"));
  append(wrapped, message);
  append(wrapped, as_bytes("</Bytes>"));
  return verify_signature(account, wrapped, signature);
}

std::optional<KeyPair> KeyPair::from_secret(KeyScheme scheme, const Secret& secret) {
  KeyPair out;
  out.scheme_ = scheme;
  out.secret_ = secret;
  switch (scheme) {
    case KeyScheme::ed25519:
      out.account_ = account_of(ed25519_public(secret));
      return out;
    case KeyScheme::ecdsa: {
      const auto key = secp256k1_public(secret);
      if (!key) return std::nullopt;
      out.account_ = account_of(*key);
      return out;
    }
  }
  return std::nullopt;
}

KeyPair KeyPair::generate(KeyScheme scheme) {
  for (;;) {  // a second round has a chance of 2^-128, for secp256k1 only
    if (auto pair = from_secret(scheme, Secret::generate())) return *pair;
  }
}

MultiSignature KeyPair::sign(ByteView message) const {
  // Signing with a public key that is not the secret's would give the secret away.
  TALLY_ASSERT(!account_.is_zero());
  if (scheme_ == KeyScheme::ed25519) {
    Ed25519Key key;
    key.bytes = account_.bytes;
    return SignedEd25519{sign_expanded(secret_, key, message)};
  }
  const auto signature = ecdsa_sign(secret_, blake2_256(message));
  TALLY_ASSERT(signature.has_value());  // from_secret admits valid scalars only
  return SignedEcdsa{*signature};
}

}  // namespace tally
