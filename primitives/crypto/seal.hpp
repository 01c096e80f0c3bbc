// Sealed boxes: bytes that only the holder of an X25519 key can open, from a sender who needs none.
//
//   sealed = ephemeral public key (32) ‖ XChaCha20-Poly1305 ciphertext ‖ tag (16)
//   key ‖ nonce = the first 56 bytes of BLAKE2b-512(
//       "tallystick/seal/v1" ‖ X25519 secret ‖ ephemeral key ‖ recipient key ‖ context)
//
// The context says what the bytes are for ("task input 7 of channel …"): with another context a box
// does not open, so a box cannot be replayed in another place. A box proves nothing about its
// sender. Sources: RFC 7748 (X25519), draft-irtf-cfrg-xchacha-03, RFC 7693.
#pragma once

#include <optional>
#include <string_view>

#include "primitives/bytes.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally {

TALLY_STRONG_BYTES(SealKey, 32);  // X25519 public key

// What a box is longer than its content.
constexpr std::size_t kSealOverhead = 48;

SealKey seal_public(const Secret& secret);
// Nothing if `recipient` is one of the few points that no honest key is (of low order).
std::optional<Bytes> seal(const SealKey& recipient, ByteView content, std::string_view context);
// Nothing if the box was made for another key or context, or was changed.
std::optional<Bytes> open_sealed(const Secret& recipient, ByteView sealed,
                                 std::string_view context);

}  // namespace tally
