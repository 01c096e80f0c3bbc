#if defined(__x86_64__)
#include <immintrin.h>

#include "primitives/crypto/lanes/blake2_kernel.hpp"

namespace tally::lanes {
namespace {

struct Avx2 {
  using Register = __m256i;
  static constexpr std::size_t kWidth = 4;

  static Register load(const std::uint64_t* from) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  }
  static void store(std::uint64_t* to, Register value) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), value);
  }
  static Register all(std::uint64_t word) {
    return _mm256_set1_epi64x(static_cast<long long>(word));
  }
  static Register add(Register a, Register b) { return _mm256_add_epi64(a, b); }
  static Register exclusive(Register a, Register b) { return _mm256_xor_si256(a, b); }
  // To the right.
  template <int kBits>
  static Register rotate(Register x) {
    if constexpr (kBits == 32) {
      return _mm256_shuffle_epi32(x, 0xB1);
    } else if constexpr (kBits == 24) {
      const Register places =
          _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6, 7, 0,
                           1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
      return _mm256_shuffle_epi8(x, places);
    } else if constexpr (kBits == 16) {
      const Register places =
          _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5, 6, 7,
                           0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
      return _mm256_shuffle_epi8(x, places);
    } else {
      return _mm256_or_si256(_mm256_srli_epi64(x, kBits), _mm256_slli_epi64(x, 64 - kBits));
    }
  }
};

}  // namespace

void detail::hash_avx2(Group& group, bool pairs) {
  hash_group<Avx2>(group, pairs);
}

}  // namespace tally::lanes
#endif
