#include "primitives/crypto/keccak.hpp"

#include <bit>

namespace tally {

namespace {

using State = std::array<std::uint64_t, 25>;

constexpr std::size_t kRate = 136;  // bytes

constexpr std::array<std::uint64_t, 24> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// The walk of rho and pi over the lanes, starting at lane 1: how far to turn, and where to go.
constexpr std::array<int, 24> kTurns = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                        27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
constexpr std::array<std::size_t, 24> kPlaces = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                                 15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};

void permute(State& a) {
  for (const std::uint64_t round_constant : kRoundConstants) {
    std::array<std::uint64_t, 5> column{};
    for (std::size_t x = 0; x < 5; ++x) {
      column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    }
    for (std::size_t i = 0; i < 25; ++i) {
      a[i] ^= column[(i + 4) % 5] ^ std::rotl(column[(i + 1) % 5], 1);
    }
    std::uint64_t carried = a[1];
    for (std::size_t i = 0; i < 24; ++i) {
      const std::uint64_t next = a[kPlaces[i]];
      a[kPlaces[i]] = std::rotl(carried, kTurns[i]);
      carried = next;
    }
    for (std::size_t y = 0; y < 25; y += 5) {
      const std::array<std::uint64_t, 5> row{a[y], a[y + 1], a[y + 2], a[y + 3], a[y + 4]};
      for (std::size_t x = 0; x < 5; ++x)
        a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
    a[0] ^= round_constant;
  }
}

void absorb(State& state, ByteView block) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    state[i / 8] ^= static_cast<std::uint64_t>(block[i]) << (8 * (i % 8));
  }
}

}  // namespace

std::array<std::uint8_t, 32> keccak_256(ByteView data) {
  State state{};
  while (data.size() >= kRate) {
    absorb(state, data.first(kRate));
    permute(state);
    data = data.subspan(kRate);
  }
  absorb(state, data);
  state[data.size() / 8] ^= std::uint64_t{1} << (8 * (data.size() % 8));
  state[(kRate - 1) / 8] ^= std::uint64_t{0x80} << 56;
  permute(state);
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::uint8_t>(state[i / 8] >> (8 * (i % 8)));
  }
  return out;
}

}  // namespace tally
