#include "primitives/codec/scale.hpp"

#include "primitives/extrinsic.hpp"
#include "primitives/ss58.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::vectors {
namespace {

u128 unsigned_of(const Json& value) {
  const auto text = value.is_string() ? value.get<std::string>() : value.dump();
  const auto number = parse_decimal(text.starts_with('-') ? text.substr(1) : text);
  REQUIRE(number);
  return text.starts_with('-') ? u128{0} - *number : *number;
}

// The value of a vector as our type; overloads choose by the type asked for.
template <detail::Integer T>
void read(const Json& value, T& out) {
  out = static_cast<T>(unsigned_of(value));
}
void read(const Json& value, bool& out) {
  out = value.get<bool>();
}
void read(const Json& value, std::string& out) {
  out = value.get<std::string>();
}
template <class T>
void read(const Json& value, Compact<T>& out) {
  read(value, out.value);
}
void read(const Json& value, Hash& out) {
  out = fixed_of<Hash>(value);
}
template <class T>
void read(const Json& value, std::optional<T>& out);
template <class... T>
void read(const Json& value, std::tuple<T...>& out) {
  std::size_t i = 0;
  std::apply([&](auto&... item) { (read(value[i++], item), ...); }, out);
}
template <class T>
void read(const Json& value, std::vector<T>& out) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    if (value.is_string()) {
      out = bytes_of(value);
      return;
    }
  }
  for (const Json& item : value) read(item, out.emplace_back());
}
template <class T, std::size_t N>
void read(const Json& value, std::array<T, N>& out) {
  std::vector<T> items;
  read(value, items);
  REQUIRE(items.size() == N);
  std::copy(items.begin(), items.end(), out.begin());
}
template <class T>
void read(const Json& value, std::optional<T>& out) {
  if (!value.is_null()) read(value, out.emplace());
}

template <class T>
void check_bytes(const T& value, const Json& hex) {
  CHECK(to_hex_prefixed(encode(value)) == hex);
  const auto decoded = decode<T>(bytes_of(hex));
  REQUIRE(decoded.ok());
  CHECK(*decoded == value);
}

template <class T>
void check(const Json& v) {
  T value{};
  read(v["value"], value);
  check_bytes(value, v["hex"]);
}

using Check = void (*)(const Json&);

const std::map<std::string, Check>& checks() {
  static const std::map<std::string, Check> all = {
      {"u8", check<std::uint8_t>},
      {"u16", check<std::uint16_t>},
      {"u32", check<std::uint32_t>},
      {"u64", check<std::uint64_t>},
      {"u128", check<u128>},
      {"i8", check<std::int8_t>},
      {"i32", check<std::int32_t>},
      {"i128", check<i128>},
      {"bool", check<bool>},
      {"Text", check<std::string>},
      {"Bytes", check<Bytes>},
      {"[u8;4]", check<std::array<std::uint8_t, 4>>},
      {"H256", check<Hash>},
      {"Vec<u8>", check<Bytes>},
      {"Vec<u16>", check<std::vector<std::uint16_t>>},
      {"Vec<u64>", check<std::vector<std::uint64_t>>},
      {"Vec<Text>", check<std::vector<std::string>>},
      {"Vec<(u8,u16)>", check<std::vector<std::tuple<std::uint8_t, std::uint16_t>>>},
      {"[u16;3]", check<std::array<std::uint16_t, 3>>},
      {"Option<u8>", check<std::optional<std::uint8_t>>},
      {"Option<Text>", check<std::optional<std::string>>},
      {"Option<bool>", check<std::optional<bool>>},
      {"Option<(u8,u32)>", check<std::optional<std::tuple<std::uint8_t, std::uint32_t>>>},
      {"Option<Option<u8>>", check<std::optional<std::optional<std::uint8_t>>>},
      {"(u8,u16,u32)", check<std::tuple<std::uint8_t, std::uint16_t, std::uint32_t>>},
      {"(Text,bool)", check<std::tuple<std::string, bool>>},
  };
  return all;
}

struct Record {
  std::uint8_t a{};
  Compact<std::uint32_t> b;
  std::optional<std::string> c;
  friend bool operator==(const Record&, const Record&) = default;
};
TALLY_DESCRIBE(Record, a, b, c);

enum class Letter : std::uint8_t { a, b, c };
TALLY_DESCRIBE_ENUM(Letter, a, b, c);

struct CaseA {
  static constexpr std::uint8_t kIndex = 0;
  friend bool operator==(const CaseA&, const CaseA&) = default;
};
TALLY_DESCRIBE(CaseA);
struct CaseB {
  static constexpr std::uint8_t kIndex = 1;
  std::uint32_t value{};
  friend bool operator==(const CaseB&, const CaseB&) = default;
};
TALLY_DESCRIBE(CaseB, value);
struct CaseD {
  static constexpr std::uint8_t kIndex = 3;
  std::uint16_t x{};
  std::string y;
  friend bool operator==(const CaseD&, const CaseD&) = default;
};
TALLY_DESCRIBE(CaseD, x, y);

}  // namespace

TEST_CASE("compact integers are those of the clients") {
  for (const Json& v : cases("substrate/scale.json", "compact")) {
    check_bytes(Compact<u128>{unsigned_of(v["value"])}, v["hex"]);
  }
}

TEST_CASE("integers, texts, lists, options and tuples are those of the clients") {
  const Json file = load("substrate/scale.json");
  std::size_t checked = 0;
  for (const char* group : {"ints", "text_bytes", "vec", "option", "tuple_struct"}) {
    for (const Json& v : file[group]) {
      const auto type = v["type"].get<std::string>();
      CAPTURE(type, v.dump());
      if (type == "()" || type.starts_with('{')) continue;  // below, by hand
      REQUIRE(checks().contains(type));
      checks().at(type)(v);
      ++checked;
    }
  }
  CHECK(checked >= 36);
}

TEST_CASE("structs, enums, maps and sets are those of the clients") {
  const Json file = load("substrate/scale.json");
  check_bytes(Record{1, {1000}, "z"}, file["tuple_struct"][2]["hex"]);
  check_bytes(std::tuple<>{}, file["tuple_struct"][3]["hex"]);
  check_bytes(Letter::b, file["enum"][0]["hex"]);
  using Cases = std::variant<CaseA, CaseB, CaseD>;
  check_bytes(Cases(CaseB{5}), file["enum"][1]["hex"]);
  check_bytes(Cases(CaseD{3, "q"}), file["enum"][2]["hex"]);
  check_bytes(std::map<std::uint32_t, std::string>{{1, "a"}, {2, "b"}}, file["map_set"][0]["hex"]);
  check_bytes(std::set<std::uint16_t>{1, 5}, file["map_set"][1]["hex"]);
}

TEST_CASE("addresses are those of the clients") {
  const Json chain = load("substrate/scale.json")["chain_types"];
  const auto account = parse_account(chain[0]["value"]["Id"].get<std::string>());
  check_bytes(MultiAddress(AddressId{*account}), chain[0]["hex"]);
  check_bytes(MultiAddress(AddressRaw{{1, 2}}), chain[1]["hex"]);
  Address20 twenty;
  twenty.account.fill(0x44);
  check_bytes(MultiAddress(twenty), chain[2]["hex"]);
  CHECK(to_hex_prefixed(ByteView(encode(MultiSignature(SignedEd25519{}))).first(1)) ==
        chain[3]["hex"]);
  CHECK(to_hex_prefixed(ByteView(encode(MultiSignature(SignedEcdsa{}))).first(1)) ==
        chain[4]["hex"]);
}

}  // namespace tally::vectors
