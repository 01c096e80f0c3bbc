// Why a call was refused: a rejection, part of the interface. A module's own rejections are a
// numbered enumeration, carried as {module, number}; the byte form is Substrate's DispatchError.
//
//   enum class Error : std::uint8_t { not_found = 0, … };      // modules/<m>/errors.hpp
//   return fail(reject(Error::not_found));                      // reject() of the module
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "modules/support/module.hpp"
#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/result.hpp"

namespace tally {

TALLY_DESCRIBE_ENUM(ArithmeticError, underflow, overflow, division_by_zero);

struct ErrorOther {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Other";
  friend bool operator==(const ErrorOther&, const ErrorOther&) = default;
};
TALLY_DESCRIBE(ErrorOther);
// An address that names no account.
struct ErrorCannotLookup {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "CannotLookup";
  friend bool operator==(const ErrorCannotLookup&, const ErrorCannotLookup&) = default;
};
TALLY_DESCRIBE(ErrorCannotLookup);
struct ErrorBadOrigin {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "BadOrigin";
  friend bool operator==(const ErrorBadOrigin&, const ErrorBadOrigin&) = default;
};
TALLY_DESCRIBE(ErrorBadOrigin);
struct ErrorModule {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "Module";
  std::uint8_t index{};                 // a ModuleIndex
  std::array<std::uint8_t, 4> error{};  // the number, then zeros
  friend bool operator==(const ErrorModule&, const ErrorModule&) = default;
};
TALLY_DESCRIBE(ErrorModule, index, error);
struct ErrorArithmetic {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "Arithmetic";
  ArithmeticError error{};
  friend bool operator==(const ErrorArithmetic&, const ErrorArithmetic&) = default;
};
TALLY_DESCRIBE(ErrorArithmetic, error);

struct DispatchError {
  using Variant =
      std::variant<ErrorOther, ErrorCannotLookup, ErrorBadOrigin, ErrorModule, ErrorArithmetic>;
  Variant kind;

  DispatchError() = default;
  template <class Alternative>
  requires std::is_constructible_v<Variant, Alternative> DispatchError(Alternative alternative)
      : kind(alternative) {}
  // So that TALLY_TRY passes an overflow of money on.
  DispatchError(ArithmeticError error) : kind(ErrorArithmetic{error}) {}

  friend bool operator==(const DispatchError&, const DispatchError&) = default;
};
// Encoded as the variant itself.
template <>
struct Codec<DispatchError> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const DispatchError& error) { encode_to(out, error.kind); }
  static bool decode(Decoder& in, DispatchError& error) { return decode_from(in, error.kind); }
};

using DispatchResult = Result<void, DispatchError>;

template <DescribedEnum E>
constexpr ErrorModule module_error(ModuleIndex module, E error) {
  return {static_cast<std::uint8_t>(module), {static_cast<std::uint8_t>(error), 0, 0, 0}};
}

}  // namespace tally
