#include "modules/credits/curve.hpp"

#include <array>

#include "primitives/assert.hpp"

namespace tally::credits {

namespace {

constexpr u128 kOne = u128{1} << 64;

// ⌊a·b / 2⁶⁴⌋ of two binary fractions up to 1.
u128 times(u128 a, u128 b) {
  if (a == kOne) return b;
  if (b == kOne) return a;
  return (a * b) >> 64;
}

// ⌊e^(−2^i) · 2⁶⁴⌋; from i = 6 on it is 0.
constexpr std::array<std::uint64_t, 6> kExpMinusPower{0x5e2d58d8b3bcdf1a, 0x22a555477f03973f,
                                                      0x04b0556e084f3d1d, 0x0015fc21041027ac,
                                                      0x000001e355bbaee8, 0x000000000003908c};

}  // namespace

u128 exp_minus(std::uint64_t numerator, std::uint64_t denominator) {
  TALLY_ASSERT(denominator > 0);
  const std::uint64_t whole = numerator / denominator;
  if (whole >> kExpMinusPower.size() != 0) return 0;
  const u128 fraction = (u128{numerator % denominator} << 64) / denominator;
  u128 positive = kOne;
  u128 negative = 0;
  u128 term = kOne;
  for (std::uint64_t n = 1; term != 0; ++n) {
    term = times(term, fraction) / n;
    (n % 2 == 1 ? negative : positive) += term;
  }
  u128 result = positive - negative;
  for (std::size_t i = 0; i < kExpMinusPower.size(); ++i) {
    if ((whole >> i) % 2 == 1) result = times(result, kExpMinusPower[i]);
  }
  return result;
}

std::uint64_t multiplier_billionths(const Config& config, std::uint64_t hours) {
  TALLY_ASSERT(config.multiplier_max >= 1);
  const u128 above_one = u128{config.multiplier_max - 1} * kBillion;  // below 2^62
  const u128 extra = (exp_minus(hours, config.multiplier_scale_hours) * above_one) >> 64;
  return kBillion + static_cast<std::uint64_t>(extra);
}

}  // namespace tally::credits
