// xxHash64 at compile time, for the 32-byte prefixes of storage items. Equal to twox_128 of
// primitives/crypto/hash.hpp, which a test states. Source: the xxHash64 specification.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace tally::twox {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5;

constexpr std::uint64_t little_endian(std::string_view text, std::size_t at, std::size_t n) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < n; ++i) {
    out |= std::uint64_t{static_cast<std::uint8_t>(text[at + i])} << (8 * i);
  }
  return out;
}

constexpr std::uint64_t round(std::uint64_t lane, std::uint64_t input) {
  return std::rotl(lane + input * kPrime2, 31) * kPrime1;
}

constexpr std::uint64_t hash64(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = seed + kPrime5;
  std::size_t at = 0;
  if (text.size() >= 32) {
    std::array<std::uint64_t, 4> lanes{seed + kPrime1 + kPrime2, seed + kPrime2, seed,
                                       seed - kPrime1};
    for (; at + 32 <= text.size(); at += 32) {
      for (std::size_t i = 0; i < 4; ++i) {
        lanes[i] = round(lanes[i], little_endian(text, at + 8 * i, 8));
      }
    }
    h = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
        std::rotl(lanes[3], 18);
    for (const std::uint64_t lane : lanes) h = (h ^ round(0, lane)) * kPrime1 + kPrime4;
  }
  h += text.size();
  for (; at + 8 <= text.size(); at += 8) {
    h = std::rotl(h ^ round(0, little_endian(text, at, 8)), 27) * kPrime1 + kPrime4;
  }
  if (at + 4 <= text.size()) {
    h = std::rotl(h ^ (little_endian(text, at, 4) * kPrime1), 23) * kPrime2 + kPrime3;
    at += 4;
  }
  for (; at < text.size(); ++at) {
    h = std::rotl(h ^ (little_endian(text, at, 1) * kPrime5), 11) * kPrime1;
  }
  h = (h ^ (h >> 33)) * kPrime2;
  h = (h ^ (h >> 29)) * kPrime3;
  return h ^ (h >> 32);
}

// twox128(module) ‖ twox128(item)
constexpr std::array<std::uint8_t, 32> storage_prefix(std::string_view module,
                                                      std::string_view item) {
  std::array<std::uint8_t, 32> out{};
  const std::array<std::uint64_t, 4> words{hash64(module, 0), hash64(module, 1), hash64(item, 0),
                                           hash64(item, 1)};
  for (std::size_t i = 0; i < 32; ++i) {
    out[i] = static_cast<std::uint8_t>(words[i / 8] >> (8 * (i % 8)));
  }
  return out;
}

}  // namespace tally::twox
