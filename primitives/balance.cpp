#include "primitives/balance.hpp"

#include <algorithm>
#include <limits>

namespace tally {
namespace {

constexpr u128 kMax = ~u128{0};

struct Wide {  // 256 bits
  u128 high;
  u128 low;
};

Wide multiply(u128 a, u128 b) {
  const u128 mask = ~std::uint64_t{0};
  const u128 a0 = a & mask, a1 = a >> 64, b0 = b & mask, b1 = b >> 64;
  const u128 p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
  const u128 middle = (p00 >> 64) + (p01 & mask) + (p10 & mask);
  return {p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64), (middle << 64) | (p00 & mask)};
}

// Long division, bit by bit; value.high < divisor, so the quotient fits.
u128 divide(Wide value, u128 divisor) {
  u128 remainder = value.high;
  u128 quotient = 0;
  for (int bit = 127; bit >= 0; --bit) {
    const bool carry = remainder >> 127;
    remainder = (remainder << 1) | ((value.low >> bit) & 1);
    quotient <<= 1;
    if (carry || remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1;
    }
  }
  return quotient;
}

// `amount` in units of 10^-decimals, without trailing zeros.
std::string with_decimals(u128 amount, int decimals) {
  u128 unit = 1;
  for (int i = 0; i < decimals; ++i) unit *= 10;
  std::string out = to_decimal(amount / unit);
  std::string fraction = to_decimal(amount % unit);
  fraction.insert(
      0, static_cast<std::size_t>(decimals) - std::min<std::size_t>(fraction.size(), decimals),
      '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  if (decimals > 0 && !fraction.empty()) out += "." + fraction;
  return out;
}

Failure<Error> bad_amount(std::string_view text, std::string_view reason) {
  return fail_with("'" + std::string(text) + "' is not an amount: " + std::string(reason) +
                   "; write it like 1.5CC, 20mCC or 7uCC");
}

}  // namespace

Result<Balance, ArithmeticError> checked_add(Balance a, Balance b) {
  if (a.micro > kMax - b.micro) return fail(ArithmeticError::overflow);
  return Balance(a.micro + b.micro);
}

Result<Balance, ArithmeticError> checked_sub(Balance a, Balance b) {
  if (a.micro < b.micro) return fail(ArithmeticError::underflow);
  return Balance(a.micro - b.micro);
}

Result<Balance, ArithmeticError> checked_mul(Balance a, std::uint64_t factor) {
  if (factor != 0 && a.micro > kMax / factor) return fail(ArithmeticError::overflow);
  return Balance(a.micro * factor);
}

Result<Balance, ArithmeticError> checked_apply(Balance a, BalanceDelta delta) {
  if (delta.micro >= 0) return checked_add(a, Balance(static_cast<u128>(delta.micro)));
  return checked_sub(a, Balance(u128{0} - static_cast<u128>(delta.micro)));
}

Result<Balance, ArithmeticError> mul_div(Balance a, u128 numerator, u128 denominator) {
  if (denominator == 0) return fail(ArithmeticError::division_by_zero);
  const Wide product = multiply(a.micro, numerator);
  if (product.high == 0) return Balance(product.low / denominator);
  if (product.high >= denominator) return fail(ArithmeticError::overflow);
  return Balance(divide(product, denominator));
}

std::string to_decimal(u128 value) {
  std::string out;
  do {
    out.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

std::optional<u128> parse_decimal(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  u128 value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const u128 digit = static_cast<u128>(c - '0');
    if (value > (kMax - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::string to_text(Balance balance) {
  if (balance >= kCredit || balance.is_zero()) return with_decimals(balance.micro, 6) + " CC";
  if (balance >= kMilliCredit) return with_decimals(balance.micro, 3) + " mCC";
  return to_decimal(balance.micro) + " µCC";
}

Result<Balance, Error> parse_balance(std::string_view text) {
  std::string_view number = text;
  int decimals = -1;
  struct Unit {
    std::string_view name;
    int decimals;
  };
  for (const Unit unit : {Unit{"mCC", 3}, Unit{"µCC", 0}, Unit{"uCC", 0}, Unit{"CC", 6}}) {
    if (number.ends_with(unit.name)) {
      number.remove_suffix(unit.name.size());
      decimals = unit.decimals;
      break;
    }
  }
  if (decimals < 0) return bad_amount(text, "the unit is missing");
  while (number.ends_with(' ')) number.remove_suffix(1);
  std::string digits;
  const auto point = number.find('.');
  std::string_view fraction = point == number.npos ? std::string_view{} : number.substr(point + 1);
  if (point != number.npos && fraction.empty())
    return bad_amount(text, "digits must follow the point");
  if (fraction.size() > static_cast<std::size_t>(decimals))
    return bad_amount(text, "it is finer than 1 µCC");
  digits = std::string(number.substr(0, point)) + std::string(fraction);
  if (number.empty() || point == 0) return bad_amount(text, "a digit must come first");
  digits.append(static_cast<std::size_t>(decimals) - fraction.size(), '0');
  const auto value = parse_decimal(digits);
  if (!value) return bad_amount(text, "it is not a number, or too large");
  return Balance(*value);
}

}  // namespace tally
