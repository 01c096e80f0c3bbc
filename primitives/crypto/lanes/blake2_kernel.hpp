// Private to this folder: BLAKE2b's rounds over vectors of 64-bit words. `Vector` names a register
// type and its operations; a file for each instruction set brings one and includes this. Everything
// here has internal linkage, see CMakeLists.txt.
#pragma once

#include "primitives/crypto/lanes/blake2_lanes.hpp"

namespace tally::lanes {
namespace {

constexpr std::uint64_t kInitial[8] = {0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B,
                                       0xA54FF53A5F1D36F1, 0x510E527FADE682D1, 0x9B05688C2B3E6C1F,
                                       0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179};
// No key, fan-out and depth 1; the digest's length is added.
constexpr std::uint64_t kParameters = 0x01010000;

constexpr unsigned kRounds = 12;
constexpr std::uint8_t kSigma[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                         {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                         {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                         {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                         {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                         {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                         {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                         {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                         {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

// Lanes first .. first + Vector::kWidth of a group. Message words from kWords on are zero.
template <class Vector, unsigned kWords>
struct Rounds {
  using Register = typename Vector::Register;
  Register v[16];
  Register m[kWords];

  template <unsigned kWord>
  [[gnu::always_inline]] inline void add_word(Register& to) const {
    if constexpr (kWord < kWords) to = Vector::add(to, m[kWord]);
  }

  template <unsigned kX, unsigned kY>
  [[gnu::always_inline]] inline void mix(Register& a, Register& b, Register& c, Register& d) {
    a = Vector::add(a, b);
    add_word<kX>(a);
    d = Vector::template rotate<32>(Vector::exclusive(d, a));
    c = Vector::add(c, d);
    b = Vector::template rotate<24>(Vector::exclusive(b, c));
    a = Vector::add(a, b);
    add_word<kY>(a);
    d = Vector::template rotate<16>(Vector::exclusive(d, a));
    c = Vector::add(c, d);
    b = Vector::template rotate<63>(Vector::exclusive(b, c));
  }

  template <unsigned kRound>
  [[gnu::always_inline]] inline void from_round() {
    if constexpr (kRound < kRounds) {
      constexpr const std::uint8_t* s = kSigma[kRound % 10];
      mix<s[0], s[1]>(v[0], v[4], v[8], v[12]);
      mix<s[2], s[3]>(v[1], v[5], v[9], v[13]);
      mix<s[4], s[5]>(v[2], v[6], v[10], v[14]);
      mix<s[6], s[7]>(v[3], v[7], v[11], v[15]);
      mix<s[8], s[9]>(v[0], v[5], v[10], v[15]);
      mix<s[10], s[11]>(v[1], v[6], v[11], v[12]);
      mix<s[12], s[13]>(v[2], v[7], v[8], v[13]);
      mix<s[14], s[15]>(v[3], v[4], v[9], v[14]);
      from_round<kRound + 1>();
    }
  }
};

template <class Vector, unsigned kWords>
void hash_lanes(Group& group, std::size_t first) {
  Rounds<Vector, kWords> state;
  for (unsigned i = 0; i < kWords; ++i) state.m[i] = Vector::load(&group.message[i][first]);
  const auto first_word = Vector::all(kInitial[0] ^ kParameters ^ group.digest_bytes);
  state.v[0] = first_word;
  for (unsigned i = 1; i < 8; ++i) state.v[i] = Vector::all(kInitial[i]);
  for (unsigned i = 0; i < 8; ++i) state.v[8 + i] = Vector::all(kInitial[i]);
  state.v[12] = Vector::exclusive(state.v[12], Vector::load(&group.bytes[first]));
  state.v[14] = Vector::all(~kInitial[6]);  // the last block
  state.template from_round<0>();
  for (unsigned i = 0; i < kDigestWords; ++i) {
    const auto before = i == 0 ? first_word : Vector::all(kInitial[i]);
    const auto mixed = Vector::exclusive(state.v[i], state.v[8 + i]);
    Vector::store(&group.digest[i][first], Vector::exclusive(before, mixed));
  }
}

template <class Vector>
void hash_group(Group& group, bool pairs) {
  for (std::size_t first = 0; first < kLanes; first += Vector::kWidth) {
    if (pairs) {
      hash_lanes<Vector, kPairWords>(group, first);
    } else {
      hash_lanes<Vector, kBlockWords>(group, first);
    }
  }
}

}  // namespace
}  // namespace tally::lanes
