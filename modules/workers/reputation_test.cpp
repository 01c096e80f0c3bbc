#include "modules/workers/reputation.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "modules/workers/api.hpp"

namespace tally::workers {
namespace {

std::int64_t log2_of(std::uint64_t numerator, std::uint64_t denominator) {
  return log2_billionths({Balance(numerator), Balance(denominator)});
}

// The values are those of a computer algebra system, rounded down.
TEST_CASE("golden table of log2") {
  CHECK(log2_of(1, 1) == 0);
  CHECK(log2_of(2, 1) == 1'000'000'000);
  CHECK(log2_of(1, 2) == -1'000'000'000);
  CHECK(log2_of(3, 1) == 1'584'962'500);
  CHECK(log2_of(10, 1) == 3'321'928'094);
  CHECK(log2_of(100, 99) == 14'499'569);
  CHECK(log2_of(99, 100) == -14'499'570);
  CHECK(log2_of(1'000'001, 1'000'000) == 1'442);
  CHECK(log2_of(1, 3) == -1'584'962'501);
  CHECK(log2_of(16, 1) == 4'000'000'000);
  CHECK(log2_of(1'600'000'001, 100'000'000) == 4'000'000'000);
  CHECK(log2_of(1'599'999'999, 100'000'000) == 3'999'999'999);
  CHECK(log2_billionths({Balance(u128{1} << 100), Balance(u128{1} << 90)}) == 10'000'000'000);
  CHECK(log2_billionths({Balance(u128{1} << 100), Balance(1)}) == 32'000'000'000);
  CHECK(log2_billionths({Balance(1), Balance(u128{1} << 100)}) == -32'000'000'000);
}

TEST_CASE("log2 is that of the floating-point library, rounded down") {
  CHECK(rc::check("any ratio", [] {
    const auto n = *rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << 40);
    const auto d = *rc::gen::inRange<std::uint64_t>(1, std::uint64_t{1} << 20);
    const double exact =
        (std::log2(static_cast<double>(n)) - std::log2(static_cast<double>(d))) * 1e9;
    const auto got = static_cast<double>(log2_of(n, d));
    if (std::abs(exact) < 32e9) RC_ASSERT(got <= exact + 0.001 && got > exact - 1.1);
  }));
}

TEST_CASE("the weight of a stake grows from three quarters to one at sixteen times the minimum") {
  const auto weight = [](std::uint64_t own) {
    return stake_weight_billionths(Balance(own), Balance(100));
  };
  CHECK(weight(100) == 750'000'000);
  CHECK(weight(200) == 812'500'000);
  CHECK(weight(400) == 875'000'000);
  CHECK(weight(1'600) == 1'000'000'000);
  CHECK(weight(1'599) == 999'943'627);
  CHECK(weight(100'000) == 1'000'000'000);
  CHECK(weight(50) == 687'500'000);
  CHECK(weight(99) == 749'093'776);
  CHECK(weight(0) == 0);
  CHECK(stake_weight_billionths(Balance(1), Balance(u128{1} << 100)) == 0);
}

// Against a set of slots. Without the loop that clears missed slots in mark_heartbeat it fails, and
// with as many bits as slots as well: the newest beat then stands for the oldest slot.
TEST_CASE("uptime counts the slots with a heartbeat among the last ones that are over") {
  CHECK(rc::check("any beats", [] {
    Uptime uptime{.first_slot = 1'000, .last_slot = 1'000};
    std::set<std::uint64_t> beats{1'000};
    mark_heartbeat(uptime, 1'000);
    std::uint64_t slot = 1'000;
    for (int i = *rc::gen::inRange(0, 300); i > 0; --i) {
      slot += *rc::gen::weightedElement<std::uint64_t>({{20, 1}, {4, 2}, {2, 50}, {1, 800}});
      mark_heartbeat(uptime, slot);
      beats.insert(slot);
    }
    const std::uint64_t now = slot + *rc::gen::elementOf(std::vector<int>{0, 1, 2, 30, 700, 2'000});
    const std::uint64_t from = now - std::min<std::uint64_t>(now - 1'000, kUptimeSlots);
    Fraction expected{0, now - from};
    for (const std::uint64_t beat : beats) expected.part += beat >= from && beat < now ? 1 : 0;
    if (now == 1'000) expected = {1, 1};
    RC_ASSERT(uptime_of(uptime, now) == expected);
  }));
}

std::uint32_t points(std::uint32_t done, std::uint32_t failed, Fraction uptime = {1, 1},
                     std::uint64_t weight = 1'000'000'000, std::uint32_t penalty = 0) {
  return reputation_points({done, failed, uptime, weight, penalty});
}

TEST_CASE("golden table of reputation") {
  CHECK(points(0, 0) == 250);
  CHECK(points(0, 0, {1, 1}, 750'000'000) == 187);
  CHECK(points(8, 0) == 810);  // (9/10)²
  CHECK(points(98, 0) == 980);
  CHECK(points(98, 0, {1, 2}) == 490);
  CHECK(points(98, 1) == 960);
  CHECK(points(38, 0) == 950);
  CHECK(points(37, 0) == 949);
  CHECK(points(98, 0, {719, 720}) == 978);
  CHECK(points(98, 0, {1, 1}, 1'000'000'000, 5) == 975);
  CHECK(points(98, 0, {1, 1}, 1'000'000'000, 1'000) == 0);
  CHECK(points(98, 0, {0, 720}) == 0);
  CHECK(points(4'294'967'295u, 0, {720, 720}) == 999);
  CHECK(points(4'294'967'295u, 4'294'967'295u, {720, 720}) == 250);
}

TEST_CASE("tiers and audit bands begin where they say") {
  CHECK(tier_of(1'000) == Tier::elite);
  CHECK(tier_of(950) == Tier::elite);
  CHECK(tier_of(949) == Tier::trusted);
  CHECK(tier_of(850) == Tier::trusted);
  CHECK(tier_of(849) == Tier::standard);
  CHECK(tier_of(700) == Tier::standard);
  CHECK(tier_of(699) == Tier::probation);
  CHECK(tier_of(500) == Tier::probation);
  CHECK(tier_of(499) == Tier::restricted);
  const auto band = [](std::uint32_t done) {
    Worker worker;
    worker.done = done;
    return audit_band(worker);
  };
  CHECK(band(9) == AuditBand::every_task);
  CHECK(band(10) == AuditBand::one_in_ten);
  CHECK(band(100) == AuditBand::one_in_ten);
  CHECK(band(101) == AuditBand::none);
}

}  // namespace
}  // namespace tally::workers
