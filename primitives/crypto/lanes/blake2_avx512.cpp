#if defined(__x86_64__)
#include <immintrin.h>

#include "primitives/crypto/lanes/blake2_kernel.hpp"

namespace tally::lanes {
namespace {

struct Avx512 {
  using Register = __m512i;
  static constexpr std::size_t kWidth = 8;

  static Register load(const std::uint64_t* from) { return _mm512_load_si512(from); }
  static void store(std::uint64_t* to, Register value) { _mm512_store_si512(to, value); }
  static Register all(std::uint64_t word) {
    return _mm512_set1_epi64(static_cast<long long>(word));
  }
  static Register add(Register a, Register b) { return _mm512_add_epi64(a, b); }
  static Register exclusive(Register a, Register b) { return _mm512_xor_si512(a, b); }
  // To the right.
  template <int kBits>
  static Register rotate(Register x) {
    return _mm512_ror_epi64(x, kBits);
  }
};

}  // namespace

void detail::hash_avx512(Group& group, bool pairs) {
  hash_group<Avx512>(group, pairs);
}

}  // namespace tally::lanes
#endif
