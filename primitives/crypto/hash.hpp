// Hashes. BLAKE2b is the hash of everything signed, stored or linked; xxHash (twox) only names
// storage items, where nobody can gain by a collision.
//
// Sources: RFC 7693 (BLAKE2b, unkeyed, digest length in the parameter block: a short digest is not
// a prefix of a long one); xxHash64 specification; SHA-2 is FIPS 180-4.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "primitives/bytes.hpp"
#include "primitives/ids.hpp"

namespace tally {

Hash blake2_256(ByteView data);
// Of the concatenation of the parts.
Hash blake2_256(std::initializer_list<ByteView> parts);
std::array<std::uint8_t, 16> blake2_128(ByteView data);
std::array<std::uint8_t, 64> blake2_512(ByteView data);
std::array<std::uint8_t, 8> blake2_64(ByteView data);

std::uint64_t xxhash64(ByteView data, std::uint64_t seed);
std::array<std::uint8_t, 8> twox_64(ByteView data);
std::array<std::uint8_t, 16> twox_128(ByteView data);
std::array<std::uint8_t, 32> twox_256(ByteView data);

std::array<std::uint8_t, 32> sha256(ByteView data);
std::array<std::uint8_t, 64> sha512(ByteView data);

// The ASCII tag that starts every signed or hashed structure of ours: "tallystick/<thing>/v1".
Bytes domain_tag(std::string_view thing);

}  // namespace tally
