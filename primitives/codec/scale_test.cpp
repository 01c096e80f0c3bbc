#include "primitives/codec/scale.hpp"

#include <catch2/catch.hpp>

#include "primitives/ids.hpp"

namespace tally {
namespace {

enum class Colour : std::uint8_t { red = 1, green = 5 };
TALLY_DESCRIBE_ENUM(Colour, red, green);

struct Point {
  static constexpr std::uint8_t kIndex = 3;
  std::uint16_t x{};
  Compact<Balance> y;
  friend bool operator==(const Point&, const Point&) = default;
};
TALLY_DESCRIBE(Point, x, y);

struct Nothing {
  static constexpr std::uint8_t kIndex = 7;
  friend bool operator==(const Nothing&, const Nothing&) = default;
};
TALLY_DESCRIBE(Nothing);

using Shape = std::variant<Point, Nothing>;

template <class T>
DecodeErrorCode refusal(std::string_view hex) {
  const auto result = decode<T>(*from_hex(hex));
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

}  // namespace

TEST_CASE("a described struct is its fields in order, a variant its index first") {
  const Shape shape = Point{0x1234, {Balance(1u << 14)}};
  CHECK(to_hex(encode(shape)) ==
        "033412"
        "02000100");
  CHECK(*decode<Shape>(encode(shape)) == shape);
  CHECK(to_hex(encode(Shape(Nothing{}))) == "07");
  CHECK(to_hex(encode(Colour::green)) == "05");
}

TEST_CASE("a decoder accepts one encoding of a value") {
  CHECK(refusal<bool>("02") == DecodeErrorCode::bad_bool);
  CHECK(refusal<std::optional<bool>>("02") == DecodeErrorCode::bad_option);
  CHECK(refusal<Shape>("04") == DecodeErrorCode::bad_variant);
  CHECK(refusal<Colour>("00") == DecodeErrorCode::bad_variant);
  CHECK(refusal<std::uint8_t>("0000") == DecodeErrorCode::trailing_bytes);
  CHECK(refusal<Compact<std::uint32_t>>("0100") == DecodeErrorCode::not_minimal);
  CHECK(refusal<Compact<std::uint32_t>>("02000000") == DecodeErrorCode::not_minimal);
  CHECK(refusal<Compact<std::uint32_t>>("0300000000") == DecodeErrorCode::not_minimal);
  CHECK(refusal<Compact<std::uint32_t>>("0700000000ff") == DecodeErrorCode::out_of_range);
  CHECK(refusal<std::vector<std::uint8_t>>("feffffff") == DecodeErrorCode::unexpected_end);
  CHECK(refusal<BoundedVec<std::uint8_t, 1>>("080102") == DecodeErrorCode::too_long);
  CHECK(refusal<std::set<std::uint8_t>>("080201") == DecodeErrorCode::not_sorted);
  CHECK(refusal<std::set<std::uint8_t>>("080101") == DecodeErrorCode::not_sorted);
  CHECK(refusal<std::string>("08c080") == DecodeErrorCode::bad_utf8);
}

TEST_CASE("strong types encode as what they wrap") {
  CHECK(to_hex(encode(BlockNumber(7))) == "07000000");
  Hash hash;
  hash.bytes[0] = 0xab;
  CHECK(encode(hash).size() == 32);
  CHECK(*decode<Hash>(encode(hash)) == hash);
}

}  // namespace tally
