#include "primitives/crypto/vrf.hpp"

#include <sodium.h>

#include <algorithm>
#include <initializer_list>

#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/sodium.hpp"

namespace tally {
namespace {

using Point = std::array<std::uint8_t, 32>;   // compressed as in RFC 8032
using Scalar = std::array<std::uint8_t, 32>;  // little endian
using Challenge = std::array<std::uint8_t, 16>;
using Digest64 = std::array<std::uint8_t, 64>;

constexpr std::uint8_t kSuite[] = {0x03};
constexpr std::uint8_t kEncodeToCurve[] = {0x01};
constexpr std::uint8_t kChallenge[] = {0x02};
constexpr std::uint8_t kProofToHash[] = {0x03};
constexpr std::uint8_t kBack[] = {0x00};
constexpr Point kIdentity = {1};

struct Decoded {
  Point gamma;
  Challenge c;
  Scalar s;
};

Digest64 sha512_of(std::initializer_list<ByteView> parts) {
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  for (ByteView part : parts) crypto_hash_sha512_update(&state, part.data(), part.size());
  Digest64 out;
  crypto_hash_sha512_final(&state, out.data());
  return out;
}

// y below the field's prime 2^255 - 19; libsodium's addition would take it modulo the prime.
bool canonical(const Point& point) {
  if ((point[31] & 0x7f) != 0x7f) return true;
  for (int i = 30; i >= 1; --i) {
    if (point[i] != 0xff) return true;
  }
  return point[0] < 0xed;
}

// Nothing if either is not on the curve.
std::optional<Point> sum(const Point& a, const Point& b) {
  Point out;
  if (crypto_core_ed25519_add(out.data(), a.data(), b.data()) != 0) return std::nullopt;
  return out;
}

std::optional<Point> times_cofactor(Point point) {
  if (!canonical(point)) return std::nullopt;
  for (int doubling = 0; doubling < 3; ++doubling) {
    const auto twice = sum(point, point);
    if (!twice) return std::nullopt;
    point = *twice;
  }
  return point;
}

// libsodium answers a zero scalar, and only it, with an error when the point is of prime order.
Point times(const Scalar& scalar, const Point& prime_order_point) {
  Point out;
  if (sodium_is_zero(scalar.data(), scalar.size()) != 0) return kIdentity;
  TALLY_ASSERT(
      crypto_scalarmult_ed25519_noclamp(out.data(), scalar.data(), prime_order_point.data()) == 0);
  return out;
}

Point times_base(const Scalar& scalar) {
  Point out;
  if (sodium_is_zero(scalar.data(), scalar.size()) != 0) return kIdentity;
  TALLY_ASSERT(crypto_scalarmult_ed25519_base_noclamp(out.data(), scalar.data()) == 0);
  return out;
}

Point difference(const Point& a, const Point& b) {
  Point out;
  TALLY_ASSERT(crypto_core_ed25519_sub(out.data(), a.data(), b.data()) == 0);
  return out;
}

Scalar widen(const Challenge& c) {
  Scalar out{};
  std::copy(c.begin(), c.end(), out.begin());
  return out;
}

Scalar reduce(const Digest64& digest) {
  Scalar out;
  crypto_core_ed25519_scalar_reduce(out.data(), digest.data());
  return out;
}

// RFC 9381, 5.4.1.1: try and increment, the salt being the public key.
Point encode_to_curve(const Point& key, ByteView alpha) {
  for (unsigned counter = 0; counter < 256; ++counter) {
    const std::uint8_t counter_byte[] = {static_cast<std::uint8_t>(counter)};
    const Digest64 digest = sha512_of({kSuite, kEncodeToCurve, key, alpha, counter_byte, kBack});
    Point candidate;
    std::copy_n(digest.begin(), candidate.size(), candidate.begin());
    const auto point = times_cofactor(candidate);
    if (point && *point != kIdentity) return *point;
  }
  // Missing 256 times in a row has a chance of 2^-256.
  assertion_failed("a point of the curve within 256 tries", __FILE__, __LINE__);
}

// RFC 9381, 5.4.3.
Challenge challenge(std::initializer_list<ByteView> points) {
  TALLY_ASSERT(points.size() == 5);
  const ByteView* p = points.begin();
  const Digest64 digest = sha512_of({kSuite, kChallenge, p[0], p[1], p[2], p[3], p[4], kBack});
  Challenge out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

// RFC 9381, 5.4.4, and Gamma checked to be of prime order, which honest provers' always is.
std::optional<Decoded> decode_proof(const VrfProof& proof) {
  Decoded out;
  auto from = proof.bytes.begin();
  from = (std::copy_n(from, out.gamma.size(), out.gamma.begin()), from + 32);
  from = (std::copy_n(from, out.c.size(), out.c.begin()), from + 16);
  std::copy_n(from, out.s.size(), out.s.begin());
  Digest64 wide{};
  std::copy(out.s.begin(), out.s.end(), wide.begin());
  if (reduce(wide) != out.s) return std::nullopt;  // not below the group order
  if (crypto_core_ed25519_is_valid_point(out.gamma.data()) != 1) return std::nullopt;
  return out;
}

VrfOutput output_of(const Point& gamma) {
  const auto cleared = times_cofactor(gamma);
  TALLY_ASSERT(cleared.has_value());
  VrfOutput out;
  out.bytes = sha512_of({kSuite, kProofToHash, *cleared, kBack});
  return out;
}

}  // namespace

VrfKey vrf_public(const Secret& seed) {
  VrfKey out;
  out.bytes = ed25519_public(seed).bytes;
  return out;
}

VrfProof vrf_prove(const Secret& seed, ByteView alpha) {
  const Point key = vrf_public(seed).bytes;
  Digest64 expanded = sha512_of({seed.view()});
  Scalar x;
  std::copy_n(expanded.begin(), x.size(), x.begin());
  x[0] &= 0xf8;
  x[31] = static_cast<std::uint8_t>((x[31] & 0x7f) | 0x40);

  const Point h = encode_to_curve(key, alpha);
  const Point gamma = times(x, h);
  // The nonce of RFC 8032 (5.4.2.2): deterministic, from the half of the key that signs nothing.
  Digest64 nonce_digest = sha512_of({ByteView(expanded).subspan(32), h});
  Scalar k = reduce(nonce_digest);
  const Challenge c = challenge({key, h, gamma, times_base(k), times(k, h)});
  Scalar s;
  crypto_core_ed25519_scalar_mul(s.data(), widen(c).data(), x.data());
  crypto_core_ed25519_scalar_add(s.data(), s.data(), k.data());

  sodium_memzero(expanded.data(), expanded.size());
  sodium_memzero(nonce_digest.data(), nonce_digest.size());
  sodium_memzero(x.data(), x.size());
  sodium_memzero(k.data(), k.size());
  VrfProof out;
  auto to = std::copy(gamma.begin(), gamma.end(), out.bytes.begin());
  to = std::copy(c.begin(), c.end(), to);
  std::copy(s.begin(), s.end(), to);
  return out;
}

std::optional<VrfOutput> vrf_verify(const VrfKey& key, ByteView alpha, const VrfProof& proof) {
  const auto decoded = decode_proof(proof);
  if (!decoded || !vrf_key_is_valid(key)) return std::nullopt;
  const auto& [gamma, c, s] = *decoded;
  const Point h = encode_to_curve(key.bytes, alpha);
  const Point u = difference(times_base(s), times(widen(c), key.bytes));
  const Point v = difference(times(s, h), times(widen(c), gamma));
  if (challenge({key, h, gamma, u, v}) != c) return std::nullopt;
  return output_of(gamma);
}

std::optional<VrfOutput> vrf_proof_to_hash(const VrfProof& proof) {
  detail::ready_sodium();
  const auto decoded = decode_proof(proof);
  if (!decoded) return std::nullopt;
  return output_of(decoded->gamma);
}

bool vrf_key_is_valid(const VrfKey& key) {
  detail::ready_sodium();
  return crypto_core_ed25519_is_valid_point(key.bytes.data()) == 1;
}

}  // namespace tally
