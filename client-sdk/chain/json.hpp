// JSON from the one description of a type: what `--json` prints and what the readable fields of the
// RPC carry. Output only; programs that need to be sure read the SCALE bytes.
//
//   integers up to 64 bits            numbers (exact: a reader must not squeeze them into a double)
//   u128, Balance, BalanceDelta       decimal strings, µCC for money
//   AccountId                         SS58 string
//   hashes, keys, byte lists          "0x…" strings
//   text, booleans                    themselves
//   enumerations                      the enumerator's name
//   a described struct                an object, fields in order
//   a variant                         {"kind": name, …its fields}
//   optional                          null or the value
//   lists                             arrays
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/ss58.hpp"

namespace tally {

using Json = nlohmann::ordered_json;

inline Json to_json(bool value) {
  return value;
}
template <detail::Integer T>
Json to_json(T value) {
  if constexpr (std::is_same_v<T, u128>) {
    return to_decimal(value);
  } else if constexpr (std::is_same_v<T, i128>) {
    return value < 0 ? "-" + to_decimal(-static_cast<u128>(value))
                     : to_decimal(static_cast<u128>(value));
  } else {
    return value;
  }
}
inline Json to_json(Balance value) {
  return to_decimal(value.micro);
}
inline Json to_json(BalanceDelta value) {
  return to_json(value.micro);
}
inline Json to_json(const std::string& value) {
  return value;
}
inline Json to_json(const Bytes& value) {
  return to_hex_prefixed(value);
}
inline Json to_json(const AccountId& account) {
  return to_ss58(account);
}

template <detail::StrongInteger T>
Json to_json(const T& value) {
  return to_json(value.value);
}
template <detail::StrongBytes T>
Json to_json(const T& value) {
  return to_hex_prefixed(value.view());
}
template <std::size_t N>
Json to_json(const std::array<std::uint8_t, N>& value) {
  return to_hex_prefixed(ByteView(value.data(), N));
}
template <DescribedEnum E>
Json to_json(E value) {
  return std::string(enumerator_name(value));
}
template <class T, std::size_t N>
Json to_json(const std::array<T, N>& values);
template <class T>
Json to_json(const Compact<T>& value);
template <class T>
Json to_json(const std::optional<T>& value);
template <class T>
Json to_json(const std::vector<T>& values);
template <class T, std::size_t Max>
Json to_json(const BoundedVec<T, Max>& values);
template <class A, class B>
Json to_json(const std::pair<A, B>& value);
template <class... Ts>
Json to_json(const std::variant<Ts...>& value);

template <Described T>
Json to_json(const T& value) {
  Json out = Json::object();
  for_each_field(value, [&](std::string_view name, const auto& field) {
    out[std::string(name)] = to_json(field);
    return true;
  });
  return out;
}

template <class T>
Json to_json(const Compact<T>& value) {
  return to_json(value.value);
}
template <class T>
Json to_json(const std::optional<T>& value) {
  return value ? to_json(*value) : Json(nullptr);
}
template <class T>
Json to_json(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(to_json(value));
  return out;
}
template <class T, std::size_t Max>
Json to_json(const BoundedVec<T, Max>& values) {
  return to_json(values.items());
}
template <class T, std::size_t N>
Json to_json(const std::array<T, N>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(to_json(value));
  return out;
}
template <class A, class B>
Json to_json(const std::pair<A, B>& value) {
  return Json::array({to_json(value.first), to_json(value.second)});
}
template <class... Ts>
Json to_json(const std::variant<Ts...>& value) {
  return std::visit(
      [](const auto& alternative) {
        Json out = Json::object();
        out["kind"] = std::string(std::decay_t<decltype(alternative)>::kName);
        const Json fields = to_json(alternative);
        for (const auto& [name, field] : fields.items()) out[name] = field;
        return out;
      },
      value);
}

}  // namespace tally
