#include "genesis/json.hpp"

#include <array>
#include <set>

namespace tally::genesis {

Result<Json, Error> parse_json(std::string_view text) {
  constexpr int kDeepest = 64;  // what is printed in an error is walked by recursion
  std::vector<std::set<std::string>> open_objects;
  std::string repeated;
  bool deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    deep = deep || depth > kDeepest;
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) open_objects.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!open_objects.back().insert(key).second) repeated = key;
    }
    return !deep;
  };
  try {
    Json json = Json::parse(text, watch);
    if (deep) {
      return fail_with("expected at most " + std::to_string(kDeepest) +
                       " objects and arrays in one another, got more");
    }
    if (!repeated.empty()) return fail_with("the field " + repeated + " stands twice; keep one");
    return json;
  } catch (const Json::exception& error) {  // also of a number beyond all numbers
    return fail_with(std::string("not JSON: ") + error.what());
  }
}

namespace detail {

Failure<Error> wrong(const std::string& path, const std::string& expected, const Json& got) {
  constexpr std::size_t kShown = 80;
  std::string shown = got.dump();
  if (shown.size() > kShown) shown = shown.substr(0, kShown) + "…";
  return fail_with(path + ": expected " + expected + ", got " + shown);
}

std::string child(const std::string& path, std::string_view field) {
  return path.empty() ? std::string(field) : path + "." + std::string(field);
}

Result<std::uint64_t, Error> read_quantity(const Json& json, const std::string& path,
                                           std::span<const Unit> units) {
  std::string expected = "a number and a unit (";
  for (const Unit& unit : units) expected += std::string(unit.name) + " ";
  expected.back() = ')';
  if (!json.is_string()) return wrong(path, expected, json);
  const auto text = json.get<std::string>();
  const std::size_t space = text.find(' ');
  const auto number = parse_decimal(std::string_view(text).substr(0, space));
  if (!number || space == std::string::npos) return wrong(path, expected, json);
  for (const Unit& unit : units) {
    if (text.substr(space + 1) != unit.name) continue;
    if (*number > std::numeric_limits<std::uint64_t>::max() / unit.factor) break;
    return static_cast<std::uint64_t>(*number) * unit.factor;
  }
  return wrong(path, expected, json);
}

Result<void, Error> check_fields(const Json& json, const std::string& path,
                                 const std::vector<std::string_view>& expected) {
  if (!json.is_object()) return wrong(path.empty() ? "the whole" : path, "an object", json);
  for (const auto& [name, value] : json.items()) {
    if (std::find(expected.begin(), expected.end(), name) != expected.end()) continue;
    std::string known;
    for (const std::string_view field : expected) known += " " + std::string(field);
    return fail_with(child(path, name) + ": no such field; the fields here are" + known);
  }
  for (const std::string_view field : expected) {
    if (!json.contains(std::string(field))) {
      return fail_with(child(path, field) + ": expected this field, got none; add it");
    }
  }
  return {};
}

}  // namespace detail

Result<Balance, Error> FromJson<Balance>::read(const Json& json, const std::string& path) {
  const std::string expected = "an amount and a unit, such as \"10 CC\" or \"1 mCC\"";
  if (!json.is_string()) return detail::wrong(path, expected, json);
  const auto balance = parse_balance(json.get<std::string>());
  if (!balance.ok()) return detail::wrong(path, expected, json);
  return *balance;
}

Result<DurationMs, Error> FromJson<DurationMs>::read(const Json& json, const std::string& path) {
  static constexpr std::array<detail::Unit, 5> kUnits{
      {{"ms", 1}, {"s", 1'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  return DurationMs(TALLY_TRY(detail::read_quantity(json, path, kUnits)));
}

Result<Weight, Error> FromJson<Weight>::read(const Json& json, const std::string& path) {
  static constexpr std::array<detail::Unit, 2> kUnits{{{"us", 1'000'000}, {"ms", 1'000'000'000}}};
  return Weight(TALLY_TRY(detail::read_quantity(json, path, kUnits)));
}

Result<AccountId, Error> FromJson<AccountId>::read(const Json& json, const std::string& path) {
  const std::string expected = "an account: an SS58 address, or 0x and 64 digits";
  if (!json.is_string()) return detail::wrong(path, expected, json);
  const auto account = parse_account(json.get<std::string>());
  if (!account.ok()) return detail::wrong(path, expected, json);
  return *account;
}

}  // namespace tally::genesis
