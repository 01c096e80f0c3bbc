#include "worker/executors/primes.hpp"

#include <catch2/catch.hpp>
#include <random>

namespace tally::executors {
namespace {

std::uint64_t pow_mod(std::uint64_t base, std::uint64_t exponent, std::uint64_t modulus) {
  u128 result = 1;
  for (u128 b = base % modulus; exponent != 0; exponent >>= 1, b = b * b % modulus) {
    if ((exponent & 1) != 0) result = result * b % modulus;
  }
  return static_cast<std::uint64_t>(result);
}

// Miller-Rabin with bases that decide every number below 3.3·10²⁴: knows nothing of sieves.
bool is_prime(std::uint64_t n) {
  constexpr std::uint64_t kBases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  for (const std::uint64_t base : kBases) {
    if (n % base == 0) return n == base;
  }
  if (n < 2) return false;
  std::uint64_t odd = n - 1;
  int twos = 0;
  for (; odd % 2 == 0; odd /= 2) ++twos;
  for (const std::uint64_t base : kBases) {
    std::uint64_t x = pow_mod(base, odd, n);
    bool witness = x != 1 && x != n - 1;
    for (int i = 1; i < twos && witness; ++i) {
      x = static_cast<std::uint64_t>(static_cast<u128>(x) * x % n);
      witness = x != n - 1;
    }
    if (witness) return false;
  }
  return true;
}

std::uint64_t count_by_oracle(std::uint64_t lo, std::uint64_t hi) {
  std::uint64_t count = 0;
  for (std::uint64_t n = lo; n < hi; ++n) count += is_prime(n);
  return count;
}

// π(10^k), published (OEIS A006880).
TEST_CASE("prime counts up to powers of ten are the published ones") {
  const std::pair<std::uint64_t, std::uint64_t> known[] = {{10, 4},
                                                           {100, 25},
                                                           {1'000, 168},
                                                           {10'000, 1'229},
                                                           {100'000, 9'592},
                                                           {1'000'000, 78'498},
                                                           {100'000'000, 5'761'455},
                                                           {1'000'000'000, 50'847'534}};
  for (const auto& [bound, count] : known) {
    CHECK(count_primes({.lo = 0, .hi = bound}) == count);
  }
}

TEST_CASE("every small range agrees with trial by Miller-Rabin") {
  std::vector<std::uint64_t> upto(302);
  for (std::uint64_t n = 0; n <= 300; ++n) upto[n + 1] = upto[n] + is_prime(n);
  for (std::uint64_t lo = 0; lo <= 300; ++lo) {
    for (std::uint64_t hi = lo; hi <= 300; ++hi) {
      if (count_primes({.lo = lo, .hi = hi}) != upto[hi] - upto[lo]) {
        FAIL("range " << lo << " to " << hi);
      }
    }
  }
}

TEST_CASE("ranges anywhere below the bound agree with Miller-Rabin") {
  std::mt19937_64 random(7);
  for (const std::uint64_t scale :
       {1'000'000ull, 1'000'000'000ull, 1'000'000'000'000ull, 3'000'000'000'000ull}) {
    for (int i = 0; i < 6; ++i) {
      const std::uint64_t lo = random() % scale;
      const std::uint64_t hi = lo + random() % 5'000;
      CHECK(count_primes({.lo = lo, .hi = hi}) == count_by_oracle(lo, hi));
    }
  }
  const std::uint64_t top = task::kMaxPrimeBound;
  CHECK(count_primes({.lo = top - 3'000, .hi = top}) == count_by_oracle(top - 3'000, top));
}

TEST_CASE("ranges add up across segment borders") {
  const std::uint64_t segment = 30 * (32 << 10);
  std::mt19937_64 random(11);
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t middle = segment * (1 + random() % 9) + random() % 61 - 30;
    const std::uint64_t hi = middle + random() % (3 * segment);
    CHECK(count_primes({.lo = 0, .hi = middle}) + count_primes({.lo = middle, .hi = hi}) ==
          count_primes({.lo = 0, .hi = hi}));
  }
}

}  // namespace
}  // namespace tally::executors
