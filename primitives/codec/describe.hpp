// One description of a type, from which SCALE, metadata, JSON and test generators all follow.
//
//   struct Transfer {
//     static constexpr std::uint8_t kIndex = 0;               // only in a variant's alternative
//     static constexpr std::string_view kName = "transfer";   // likewise
//     MultiAddress dest; Compact<Balance> value;
//   };
//   TALLY_DESCRIBE(Transfer, dest, value);
//
//   enum class Phase : std::uint8_t { pending = 0, open = 1 };
//   TALLY_DESCRIBE_ENUM(Phase, pending, open);
//
// A description stands in the namespace of its type, right below it; fields are encoded in the
// order of the description. A tagged union is a std::variant whose alternatives have kIndex and
// kName.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tally {

template <class Owner, class Member>
struct Field {
  using Type = Member;
  std::string_view name;
  Member Owner::*member;
};
template <class Owner, class Member>
Field(std::string_view, Member Owner::*) -> Field<Owner, Member>;

template <class Enum>
struct Enumerator {
  std::string_view name;
  Enum value;
};

template <class T>
concept Described = std::is_class_v<T> && requires {
  tally_describe(static_cast<const T*>(nullptr));
};

template <class T>
concept DescribedEnum = std::is_enum_v<T> && requires {
  tally_describe_enum(T{});
};

// Calls visit(field_name, value) for every field in order; stops when visit returns false.
template <Described T, class Visit>
constexpr bool for_each_field(T& object, Visit&& visit) {
  return std::apply(
      [&](auto... field) { return (visit(field.name, object.*(field.member)) && ...); },
      tally_describe(static_cast<const std::remove_const_t<T>*>(nullptr)));
}

template <DescribedEnum E>
constexpr std::string_view enumerator_name(E value) {
  for (const auto& entry : tally_describe_enum(E{})) {
    if (entry.value == value) return entry.name;
  }
  return "unknown";
}

}  // namespace tally

#define TALLY_PARENS ()
#define TALLY_EXPAND(...) TALLY_EXPAND3(TALLY_EXPAND3(TALLY_EXPAND3(__VA_ARGS__)))
#define TALLY_EXPAND3(...) TALLY_EXPAND2(TALLY_EXPAND2(TALLY_EXPAND2(__VA_ARGS__)))
#define TALLY_EXPAND2(...) TALLY_EXPAND1(TALLY_EXPAND1(TALLY_EXPAND1(__VA_ARGS__)))
#define TALLY_EXPAND1(...) __VA_ARGS__
#define TALLY_EACH(macro, type, ...) \
  __VA_OPT__(TALLY_EXPAND(TALLY_EACH_STEP(macro, type, __VA_ARGS__)))
#define TALLY_EACH_STEP(macro, type, first, ...) \
  macro(type, first) __VA_OPT__(, TALLY_EACH_AGAIN TALLY_PARENS(macro, type, __VA_ARGS__))
#define TALLY_EACH_AGAIN() TALLY_EACH_STEP

#define TALLY_FIELD(type, field)           \
  ::tally::Field {                         \
    std::string_view(#field), &type::field \
  }
#define TALLY_ENUMERATOR(type, name)    \
  ::tally::Enumerator<type> {           \
    std::string_view(#name), type::name \
  }

#define TALLY_DESCRIBE(Type, ...)                                       \
  [[maybe_unused]] constexpr auto tally_describe(const Type*) {         \
    return std::make_tuple(TALLY_EACH(TALLY_FIELD, Type, __VA_ARGS__)); \
  }                                                                     \
  static_assert(true)

#define TALLY_DESCRIBE_ENUM(Type, ...)                                  \
  [[maybe_unused]] constexpr auto tally_describe_enum(Type) {           \
    return std::array{TALLY_EACH(TALLY_ENUMERATOR, Type, __VA_ARGS__)}; \
  }                                                                     \
  static_assert(true)
