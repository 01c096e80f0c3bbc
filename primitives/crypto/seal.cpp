#include "primitives/crypto/seal.hpp"

#include <sodium.h>

#include "primitives/assert.hpp"
#include "primitives/crypto/sodium.hpp"

namespace tally {
namespace {

constexpr std::size_t kKeySize = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::string_view kDomain = "tallystick/seal/v1";
static_assert(SealKey::kSize + kTagSize == kSealOverhead);
static_assert(kKeySize + kNonceSize <= crypto_generichash_blake2b_BYTES_MAX);

// Key and nonce of one box. The nonce may be derived, since no ephemeral key is used twice.
class BoxKey {
 public:
  struct Parties {
    SealKey ephemeral;
    SealKey recipient;
  };

  // Nothing if the other side's key is of low order: the shared secret would be known to all.
  static std::optional<BoxKey> agree(const Secret& own, const SealKey& other,
                                     const Parties& parties, std::string_view context) {
    std::array<std::uint8_t, crypto_scalarmult_BYTES> shared;
    if (crypto_scalarmult(shared.data(), own.view().data(), other.bytes.data()) != 0) {
      return std::nullopt;
    }
    BoxKey out;
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, nullptr, 0, out.bytes_.size());
    for (ByteView part : {as_bytes(kDomain), ByteView(shared), parties.ephemeral.view(),
                          parties.recipient.view(), as_bytes(context)}) {
      crypto_generichash_blake2b_update(&state, part.data(), part.size());
    }
    crypto_generichash_blake2b_final(&state, out.bytes_.data(), out.bytes_.size());
    sodium_memzero(&state, sizeof state);
    sodium_memzero(shared.data(), shared.size());
    return out;
  }
  BoxKey(const BoxKey&) = default;
  BoxKey& operator=(const BoxKey&) = default;
  ~BoxKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

  const std::uint8_t* key() const { return bytes_.data(); }
  const std::uint8_t* nonce() const { return bytes_.data() + kKeySize; }

 private:
  BoxKey() = default;

  std::array<std::uint8_t, crypto_generichash_blake2b_BYTES_MAX> bytes_{};
};

}  // namespace

SealKey seal_public(const Secret& secret) {
  detail::ready_sodium();
  SealKey out;
  TALLY_ASSERT(crypto_scalarmult_base(out.bytes.data(), secret.view().data()) == 0);
  return out;
}

std::optional<Bytes> seal(const SealKey& recipient, ByteView content, std::string_view context) {
  const Secret ephemeral = Secret::generate();
  const SealKey ephemeral_key = seal_public(ephemeral);
  const auto box = BoxKey::agree(ephemeral, recipient, {ephemeral_key, recipient}, context);
  if (!box) return std::nullopt;
  Bytes out(content.size() + kSealOverhead);
  std::memcpy(out.data(), ephemeral_key.bytes.data(), SealKey::kSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.data() + SealKey::kSize, nullptr, content.data(),
                                             content.size(), nullptr, 0, nullptr, box->nonce(),
                                             box->key());
  return out;
}

std::optional<Bytes> open_sealed(const Secret& recipient, ByteView sealed,
                                 std::string_view context) {
  if (sealed.size() < kSealOverhead) return std::nullopt;
  const SealKey ephemeral_key = *SealKey::from(sealed.first(SealKey::kSize));
  const ByteView ciphertext = sealed.subspan(SealKey::kSize);
  const auto box =
      BoxKey::agree(recipient, ephemeral_key, {ephemeral_key, seal_public(recipient)}, context);
  if (!box) return std::nullopt;
  Bytes out(sealed.size() - kSealOverhead);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, ciphertext.data(),
                                                 ciphertext.size(), nullptr, 0, box->nonce(),
                                                 box->key()) != 0) {
    return std::nullopt;
  }
  return out;
}

}  // namespace tally
