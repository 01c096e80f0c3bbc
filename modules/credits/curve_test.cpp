#include "modules/credits/curve.hpp"

#include <catch2/catch.hpp>

#include "modules/credits/fixture.hpp"

namespace tally::credits {
namespace {

struct Row {
  std::uint64_t hours;
  std::uint64_t billionths;  // ⌊true value⌋, from 80-digit decimal arithmetic
  u128 exp;                  // ⌊e^(−hours/10⁶) · 2⁶⁴⌋
};

constexpr Row kRows[] = {
    {0, 10'000'000'000, u128{1} << 64},
    {1, 9'999'991'000, 18446725626974701275u},
    {1'000, 9'991'004'498, 18428306549934190034u},
    {100'000, 9'143'536'762, 16691304278825489409u},
    {250'000, 8'009'207'047, 14366338729722795843u},
    {500'000, 6'458'775'937, 11188515852577165299u},
    {693'147, 5'500'000'812, 9223373702226476700u},
    {1'000'000, 4'310'914'970, 6786177901268885274u},
    {2'000'000, 2'218'017'549, 2496495334008788799u},
    {5'000'000, 1'060'641'522, 124293183874348897u},
    {10'000'000, 1'000'408'599, 837480885292947u},
    {20'000'000, 1'000'000'018, 38021573369u},
    {50'000'000, 1'000'000'000, 0},
    {~std::uint64_t{0}, 1'000'000'000, 0},
};

TEST_CASE("the curve has its published values") {
  for (const Row& row : kRows) {
    CAPTURE(row.hours);
    CHECK(multiplier_billionths(test_config(), row.hours) == row.billionths);
    const u128 exp = exp_minus(row.hours, 1'000'000);
    CHECK((exp > row.exp ? exp - row.exp : row.exp - exp) <= 40);
  }
}

TEST_CASE("the curve falls and never below one") {
  std::uint64_t last = multiplier_billionths(test_config(), 0);
  for (std::uint64_t hours = 0; hours < 30'000'000; hours += 9'973) {
    const std::uint64_t now = multiplier_billionths(test_config(), hours);
    CHECK(now <= last);
    CHECK(now >= kBillion);
    last = now;
  }
}

TEST_CASE("a maximum of one is flat") {
  Config config = test_config();
  config.multiplier_max = 1;
  CHECK(multiplier_billionths(config, 0) == kBillion);
  CHECK(multiplier_billionths(config, 77) == kBillion);
}

}  // namespace
}  // namespace tally::credits
