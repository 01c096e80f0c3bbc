// Money. A Balance is a number of µCC (1 CC = 1,000,000 µCC) in 128 bits without sign.
//
// There is no operator +: every sum is checked and says what it does on overflow. mul_div keeps the
// 256-bit product, so that a share of a large balance is exact and rounded down.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "primitives/result.hpp"

namespace tally {

using u128 = unsigned __int128;
using i128 = __int128;

struct Balance {
  u128 micro{};

  constexpr Balance() = default;
  constexpr explicit Balance(u128 amount_in_micro) : micro(amount_in_micro) {}
  constexpr bool is_zero() const { return micro == 0; }
  friend constexpr bool operator==(Balance a, Balance b) { return a.micro == b.micro; }
  friend constexpr std::strong_ordering operator<=>(Balance a, Balance b) {
    return a.micro < b.micro   ? std::strong_ordering::less
           : a.micro > b.micro ? std::strong_ordering::greater
                               : std::strong_ordering::equal;
  }
};

// A change of a balance, for splices and differences.
struct BalanceDelta {
  i128 micro{};
  constexpr BalanceDelta() = default;
  constexpr explicit BalanceDelta(i128 amount_in_micro) : micro(amount_in_micro) {}
  friend constexpr bool operator==(BalanceDelta a, BalanceDelta b) { return a.micro == b.micro; }
};

// Numbered as in Substrate's ArithmeticError.
enum class ArithmeticError : std::uint8_t { underflow = 0, overflow = 1, division_by_zero = 2 };

constexpr Balance kMicro{1};
constexpr Balance kMilliCredit{1'000};
constexpr Balance kCredit{1'000'000};

Result<Balance, ArithmeticError> checked_add(Balance a, Balance b);
Result<Balance, ArithmeticError> checked_sub(Balance a, Balance b);
Result<Balance, ArithmeticError> checked_mul(Balance a, std::uint64_t factor);
Result<Balance, ArithmeticError> checked_apply(Balance a, BalanceDelta delta);
// ⌊a·numerator/denominator⌋ without losing the high half of the product.
Result<Balance, ArithmeticError> mul_div(Balance a, u128 numerator, u128 denominator);

constexpr Balance min(Balance a, Balance b) {
  return a < b ? a : b;
}
constexpr Balance max(Balance a, Balance b) {
  return a < b ? b : a;
}
// |a − b|
constexpr Balance distance(Balance a, Balance b) {
  return a < b ? Balance(b.micro - a.micro) : Balance(a.micro - b.micro);
}

// Decimal digits of µCC, no unit.
std::string to_decimal(u128 value);
std::optional<u128> parse_decimal(std::string_view digits);
// For people: "1.5 CC", "20 mCC", "7 µCC"; the largest unit that needs at most six decimals.
std::string to_text(Balance balance);
// "1.5CC", "20mCC", "7uCC", "7µCC", a space before the unit allowed; a unit is required, since a
// bare number has been read as either by everybody who ever had to.
Result<Balance, Error> parse_balance(std::string_view text);

}  // namespace tally
