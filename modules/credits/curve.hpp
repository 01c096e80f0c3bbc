// The contribution curve: early compute hours earn more.
//
//   multiplier(h) = 1 + (max − 1) · e^(−h / D),  h = network-wide compute hours, D = scale hours
//
// In billionths, without floating point, the same on every machine:
//   h / D is split into k whole parts and a fraction f in [0, 1), as 64-bit binary fractions
//   rounded down; e^(−f) = Σ (−f)^n / n! is summed until a term is zero; e^(−k) is multiplied in by
//   its binary digits from the constants e^(−1), e^(−2), e^(−4), … . Every product and quotient is
//   rounded down, some thirty in all, each off by less than 2⁻⁶⁴: together less than 10⁻¹⁷ · max
//   before the result is rounded down to billionths.
// Published tables that give 6.1, 4.0 or 1.4 for h/D = 0.5, 1 and 5 are wrong; it is 6.4587…,
// 4.3109… and 1.0606… with max = 10.
#pragma once

#include <cstdint>

#include "modules/credits/config.hpp"

namespace tally::credits {

constexpr std::uint64_t kBillion = 1'000'000'000;

// Billionths: 10·10⁹ at hours = 0 with max = 10.
std::uint64_t multiplier_billionths(const Config& config, std::uint64_t hours);

// ⌊e^(−numerator/denominator) · 2⁶⁴⌋ up to the rounding above; 2⁶⁴ itself for 0. denominator > 0.
u128 exp_minus(std::uint64_t numerator, std::uint64_t denominator);

}  // namespace tally::credits
