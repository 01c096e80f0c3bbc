// Money against an independent model: numbers of eight 32-bit limbs, added and multiplied as on
// paper. A quotient is not computed a second time but held against its definition.
#include "primitives/balance.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "tests/support/draw.hpp"

namespace tally {
namespace {

constexpr u128 kMax = ~u128{0};

// The least significant limb first; wide enough for a product of two balances and a carry.
using Limbs = std::array<std::uint64_t, 9>;

Limbs limbs(u128 value) {
  Limbs out{};
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint32_t>(value >> (32 * i));
  return out;
}

Limbs carried(Limbs sums) {
  for (std::size_t i = 0; i + 1 < sums.size(); ++i) {
    sums[i + 1] += sums[i] >> 32;
    sums[i] &= 0xffffffff;
  }
  return sums;
}

Limbs plus(const Limbs& a, const Limbs& b) {
  Limbs out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a[i] + b[i];
  return carried(out);
}

Limbs times(u128 a, u128 b) {
  Limbs out{};
  for (std::size_t j = 0; j < 4; ++j) {
    for (std::size_t i = 0; i < 4; ++i) out[i + j] += limbs(a)[i] * limbs(b)[j];
    out = carried(out);
  }
  return out;
}

bool less(const Limbs& a, const Limbs& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

std::optional<u128> fitting(const Limbs& value) {
  u128 out = 0;
  for (std::size_t i = value.size(); i-- > 0;) {
    if (i >= 4 && value[i] != 0) return std::nullopt;
    if (i < 4) out = out << 32 | value[i];
  }
  return out;
}

struct Numbers {
  u128 a, b, c;
};

Numbers drawn(std::uint64_t seed) {
  tests::Source from(seed);
  const u128 a = tests::draw<u128>(from);
  const u128 b = tests::draw<u128>(from);
  return {a, b, tests::draw<u128>(from)};
}

bool gives(const Result<Balance, ArithmeticError>& result, std::optional<u128> expected,
           ArithmeticError otherwise) {
  if (!expected) return !result.ok() && result.error() == otherwise;
  return result.ok() && result->micro == *expected;
}

}  // namespace

TEST_CASE("sums, differences and multiples agree with arithmetic on paper") {
  CHECK(rc::check([](std::uint64_t seed) {
    const auto [a, b, c] = drawn(seed);
    RC_ASSERT(gives(checked_add(Balance(a), Balance(b)), fitting(plus(limbs(a), limbs(b))),
                    ArithmeticError::overflow));
    const bool enough = !less(limbs(a), limbs(b));
    const auto difference = checked_sub(Balance(a), Balance(b));
    RC_ASSERT(difference.ok() == enough);
    if (enough) RC_ASSERT(plus(limbs(difference->micro), limbs(b)) == limbs(a));
    if (!enough) RC_ASSERT(difference.error() == ArithmeticError::underflow);
    const auto factor = static_cast<std::uint64_t>(c);
    RC_ASSERT(gives(checked_mul(Balance(a), factor), fitting(times(a, factor)),
                    ArithmeticError::overflow));
    RC_ASSERT(plus(limbs(distance(Balance(a), Balance(b)).micro), limbs(std::min(a, b))) ==
              limbs(std::max(a, b)));
  }));
}

TEST_CASE("a share is the largest number whose product does not exceed it") {
  CHECK(rc::check([](std::uint64_t seed) {
    const auto [a, numerator, denominator] = drawn(seed);
    const auto share = mul_div(Balance(a), numerator, denominator);
    if (denominator == 0) {
      RC_ASSERT(!share.ok() && share.error() == ArithmeticError::division_by_zero);
      return;
    }
    const Limbs product = times(a, numerator);
    if (!share.ok()) {
      // (2^128 - 1)·d + d ≤ a·n: the quotient would need a 129th bit.
      RC_ASSERT(share.error() == ArithmeticError::overflow);
      RC_ASSERT(!less(product, plus(times(kMax, denominator), limbs(denominator))));
      return;
    }
    const Limbs down = times(share->micro, denominator);
    RC_ASSERT(!less(product, down));
    RC_ASSERT(less(product, plus(down, limbs(denominator))));
  }));
}

TEST_CASE("a change is added or taken away, down to the most negative one") {
  CHECK(rc::check([](std::uint64_t seed) {
    const auto [a, b, c] = drawn(seed);
    const auto delta = static_cast<i128>(b);
    const u128 size = delta < 0 ? u128{0} - b : b;
    const auto expected =
        delta < 0 ? checked_sub(Balance(a), Balance(size)) : checked_add(Balance(a), Balance(size));
    const auto applied = checked_apply(Balance(a), BalanceDelta(delta));
    RC_ASSERT(applied.ok() == expected.ok());
    if (applied.ok()) RC_ASSERT(*applied == *expected);
  }));
  const auto least = static_cast<i128>(u128{1} << 127);
  CHECK(checked_apply(Balance(kMax), BalanceDelta(least))->micro == kMax >> 1);
  CHECK_FALSE(checked_apply(Balance(1), BalanceDelta(least)).ok());
}

TEST_CASE("amounts for people come back as the same balance") {
  CHECK(rc::check([](std::uint64_t seed) {
    const Balance balance(drawn(seed).a);
    const auto parsed = parse_balance(to_text(balance));
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == balance);
    RC_ASSERT(parse_decimal(to_decimal(balance.micro)) == balance.micro);
  }));
  CHECK(to_text(Balance(0)) == "0 CC");
  CHECK(to_text(Balance(1'500'000)) == "1.5 CC");
  CHECK(to_text(Balance(20'000)) == "20 mCC");
  CHECK(to_text(Balance(1'001)) == "1.001 mCC");
  CHECK(to_text(Balance(7)) == "7 µCC");
}

TEST_CASE("amounts are read in their unit, and refused without one") {
  CHECK(*parse_balance("1.5CC") == Balance(1'500'000));
  CHECK(*parse_balance("20 mCC") == Balance(20'000));
  CHECK(*parse_balance("7uCC") == Balance(7));
  CHECK(*parse_balance("7µCC") == Balance(7));
  CHECK(*parse_balance("0.000001CC") == Balance(1));
  for (const char* bad :
       {"", "1", "1.5", "CC", "-1CC", "+1CC", "1.CC", ".5CC", "1.5.2CC", "0.0000001CC", "1.5uCC",
        "1e3CC", "1,5CC", "1 2CC", "0x1CC", "1cc", "340282366920938463463374607431769CC"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_balance(bad).ok());
  }
  CHECK_FALSE(parse_decimal("340282366920938463463374607431768211456"));
  CHECK(parse_decimal("340282366920938463463374607431768211455") == kMax);
}

}  // namespace tally
