// Reads described types from JSON, strictly: every field must be there and none else, a number is
// an integer in range, money and times are text with a unit. An error names the field, what was
// expected and what came:
//
//   validators[0].weight: expected an integer from 0 to 18446744073709551615, got "ten"
//
// Balance: "10 CC", "1 mCC", "7 uCC". DurationMs: "100 ms", "10 s", "30 min", "24 h", "7 d".
// Weight: "2 us", "50 ms". AccountId: an SS58 address, or 0x and 64 digits. Other byte types: 0x
// and digits.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "primitives/balance.hpp"
#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/ss58.hpp"

namespace tally::genesis {

using Json = nlohmann::json;

// Refuses what is not JSON, and a field that stands twice in one object.
Result<Json, Error> parse_json(std::string_view text);

namespace detail {

Failure<Error> wrong(const std::string& path, const std::string& expected, const Json& got);
std::string child(const std::string& path, std::string_view field);

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
Result<std::uint64_t, Error> read_quantity(const Json& json, const std::string& path,
                                           std::span<const Unit> units);
Result<void, Error> check_fields(const Json& json, const std::string& path,
                                 const std::vector<std::string_view>& expected);

}  // namespace detail

template <class T>
struct FromJson;

template <class T>
Result<T, Error> from_json(const Json& json, const std::string& path) {
  return FromJson<T>::read(json, path);
}

template <std::unsigned_integral T>
struct FromJson<T> {
  static Result<T, Error> read(const Json& json, const std::string& path) {
    constexpr std::uint64_t kMax = std::numeric_limits<T>::max();
    if (!json.is_number_unsigned() || json.get<std::uint64_t>() > kMax) {
      return detail::wrong(path, "an integer from 0 to " + std::to_string(kMax), json);
    }
    return static_cast<T>(json.get<std::uint64_t>());
  }
};

template <>
struct FromJson<std::string> {
  static Result<std::string, Error> read(const Json& json, const std::string& path) {
    if (!json.is_string()) return detail::wrong(path, "a text", json);
    return json.get<std::string>();
  }
};

template <>
struct FromJson<Balance> {
  static Result<Balance, Error> read(const Json& json, const std::string& path);
};
template <>
struct FromJson<DurationMs> {
  static Result<DurationMs, Error> read(const Json& json, const std::string& path);
};
template <>
struct FromJson<Weight> {
  static Result<Weight, Error> read(const Json& json, const std::string& path);
};
template <>
struct FromJson<TimestampMs> {
  static Result<TimestampMs, Error> read(const Json& json, const std::string& path) {
    return TimestampMs(TALLY_TRY(from_json<std::uint64_t>(json, path)));
  }
};
template <>
struct FromJson<AccountId> {
  static Result<AccountId, Error> read(const Json& json, const std::string& path);
};

template <tally::detail::StrongBytes T>
struct FromJson<T> {
  static Result<T, Error> read(const Json& json, const std::string& path) {
    const std::string expected = "0x and " + std::to_string(2 * T::kSize) + " digits";
    if (!json.is_string()) return detail::wrong(path, expected, json);
    const auto bytes = from_hex(json.get<std::string>());
    const auto value = bytes ? T::from(*bytes) : std::nullopt;
    if (!value) return detail::wrong(path, expected, json);
    return *value;
  }
};

template <class T>
struct FromJson<std::vector<T>> {
  static Result<std::vector<T>, Error> read(const Json& json, const std::string& path) {
    if (!json.is_array()) return detail::wrong(path, "a list", json);
    std::vector<T> items;
    for (std::size_t i = 0; i < json.size(); ++i) {
      items.push_back(TALLY_TRY(from_json<T>(json[i], path + "[" + std::to_string(i) + "]")));
    }
    return items;
  }
};

template <class T, std::size_t Max>
struct FromJson<BoundedVec<T, Max>> {
  static Result<BoundedVec<T, Max>, Error> read(const Json& json, const std::string& path) {
    auto list = TALLY_TRY(from_json<std::vector<T>>(json, path));
    auto items = BoundedVec<T, Max>::from(std::move(list));
    if (!items) {
      return detail::wrong(path, "a list of at most " + std::to_string(Max), json);
    }
    return *std::move(items);
  }
};

template <Described T>
struct FromJson<T> {
  static Result<T, Error> read(const Json& json, const std::string& path) {
    T value{};
    std::vector<std::string_view> names;
    for_each_field(value, [&](std::string_view name, auto&) {
      names.push_back(name);
      return true;
    });
    TALLY_TRY(detail::check_fields(json, path, names));
    std::optional<Error> error;
    for_each_field(value, [&](std::string_view name, auto& member) {
      auto read = from_json<std::decay_t<decltype(member)>>(json[std::string(name)],
                                                            detail::child(path, name));
      if (!read.ok()) {
        error = read.error();
        return false;
      }
      member = *std::move(read);
      return true;
    });
    if (error) return fail(*error);
    return value;
  }
};

}  // namespace tally::genesis
