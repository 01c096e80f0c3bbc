#include "primitives/crypto/hash.hpp"

#include <sodium.h>
#include <xxhash.h>

#include "primitives/assert.hpp"
#include "primitives/crypto/sodium.hpp"

namespace tally {
namespace {

// An empty view may hold a null pointer, which C libraries are not promised to accept.
const std::uint8_t* data_of(ByteView view) {
  static constexpr std::uint8_t kNothing = 0;
  return view.empty() ? &kNothing : view.data();
}

template <std::size_t N>
std::array<std::uint8_t, N> blake2b(ByteView data) {
  detail::ready_sodium();
  std::array<std::uint8_t, N> out;
  // libsodium documents 16 bytes as the least digest and makes any from 1 on (8 for runtime API
  // ids).
  TALLY_ASSERT(crypto_generichash_blake2b(out.data(), N, data_of(data), data.size(), nullptr, 0) ==
               0);
  return out;
}

void put_little_endian(std::uint64_t value, std::uint8_t* out) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <std::size_t N>
std::array<std::uint8_t, N> twox(ByteView data) {
  std::array<std::uint8_t, N> out;
  for (std::size_t i = 0; i < N / 8; ++i) put_little_endian(xxhash64(data, i), out.data() + 8 * i);
  return out;
}

}  // namespace

Hash blake2_256(ByteView data) {
  Hash out;
  out.bytes = blake2b<32>(data);
  return out;
}

Hash blake2_256(std::initializer_list<ByteView> parts) {
  detail::ready_sodium();
  crypto_generichash_blake2b_state state;
  crypto_generichash_blake2b_init(&state, nullptr, 0, Hash::kSize);
  for (ByteView part : parts) {
    crypto_generichash_blake2b_update(&state, data_of(part), part.size());
  }
  Hash out;
  crypto_generichash_blake2b_final(&state, out.bytes.data(), Hash::kSize);
  return out;
}

std::array<std::uint8_t, 8> blake2_64(ByteView data) {
  return blake2b<8>(data);
}
std::array<std::uint8_t, 16> blake2_128(ByteView data) {
  return blake2b<16>(data);
}
std::array<std::uint8_t, 64> blake2_512(ByteView data) {
  return blake2b<64>(data);
}

std::uint64_t xxhash64(ByteView data, std::uint64_t seed) {
  return XXH64(data_of(data), data.size(), seed);
}

std::array<std::uint8_t, 8> twox_64(ByteView data) {
  return twox<8>(data);
}
std::array<std::uint8_t, 16> twox_128(ByteView data) {
  return twox<16>(data);
}
std::array<std::uint8_t, 32> twox_256(ByteView data) {
  return twox<32>(data);
}

std::array<std::uint8_t, 32> sha256(ByteView data) {
  detail::ready_sodium();
  std::array<std::uint8_t, 32> out;
  crypto_hash_sha256(out.data(), data_of(data), data.size());
  return out;
}

std::array<std::uint8_t, 64> sha512(ByteView data) {
  detail::ready_sodium();
  std::array<std::uint8_t, 64> out;
  crypto_hash_sha512(out.data(), data_of(data), data.size());
  return out;
}

Bytes domain_tag(std::string_view thing) {
  Bytes out;
  append(out, as_bytes("tallystick/"));
  append(out, as_bytes(thing));
  append(out, as_bytes("/v1"));
  return out;
}

}  // namespace tally
