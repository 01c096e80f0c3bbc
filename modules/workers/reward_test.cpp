// What a co-operative close counts and earns.
#include "modules/workers/rewards.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "modules/workers/fixture_test.hpp"

namespace tally::workers {
namespace {

// 1% of the turnover, as channels take it.
ClosedChannel closed(std::uint64_t turnover_cc, std::uint64_t receipts = 1'000,
                     const AccountId& payer = kEve) {
  return {kWanda, payer, receipts, cc(turnover_cc), Balance(cc(turnover_cc).micro / 100)};
}

struct Working : Fixture {
  explicit Working(const FixtureOptions& options = {}) : Fixture(options) {
    REQUIRE(join(kWanda) == "applied");
  }
  void close(const ClosedChannel& channel) {
    act([&](Context& ctx) { on_channel_closed(ctx, channel); });
  }
  Balance due() { return kRewardsDue.get(state()); }
};

TEST_CASE("a close counts as many tasks as receipts, turnover and the counterparty's cap allow") {
  Working f;
  f.close(closed(1, 4));
  CHECK(f.worker(kWanda).done == 4);
  f.close(closed(1));  // 1 CC is ten tasks of 0.1 CC
  CHECK(f.worker(kWanda).done == 14);
  f.close(closed(1'000));
  CHECK(f.worker(kWanda).done == 50);
  f.close(closed(1'000));
  CHECK(f.worker(kWanda).done == 50);
  f.close(closed(1'000, 1'000, kDan));
  CHECK(f.worker(kWanda).done == 100);
  CHECK(audit_band(f.worker(kWanda)) == AuditBand::one_in_ten);
  CHECK(compute_hours(f.state(), f.config()) == 3'002);
}

TEST_CASE("only a registered worker that is not banned counts and earns") {
  Working f;
  ClosedChannel other = closed(10);
  other.payee = kWill;
  f.close(other);
  f.close({kWanda, kEve, 5, {}, {}});
  CHECK(f.due().is_zero());
  f.act([](Context& ctx) { ban(ctx, kWanda, DurationMs(10)); });
  f.close(closed(10));
  f.pass(DurationMs(10));
  REQUIRE(f.call(kWanda, Deregister{}) == "applied");
  f.close(closed(10));
  CHECK(f.due().is_zero());
  CHECK(f.worker(kWanda).done == 0);
  CHECK(kTurnover.get(f.state()).is_zero());
}

TEST_CASE("a reward vests, and the pool pays it with a heartbeat or a withdrawal") {
  Working f;
  f.close(closed(100));
  CHECK(f.due() == Balance(900'000));  // 9% · 10 of a fee of 1 CC
  const Balance pool = f.in_pool();
  f.pass(DurationMs(f.config().reward_vesting.value - 1));
  REQUIRE(f.call(kWanda, Heartbeat{}) == "applied");
  CHECK(f.in_pool() == pool);
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "nothing_to_withdraw");
  // The end is rounded up to a 32nd of the vesting time.
  f.pass(DurationMs(f.config().reward_vesting.value / 32 + 1));
  REQUIRE(f.call(kWanda, Heartbeat{}) == "applied");
  CHECK(pool.micro - f.in_pool().micro == 900'000);
  CHECK(f.free(kWanda) == Balance(cc(9'900).micro + 900'000));
  CHECK(f.due().is_zero());
  f.close(closed(100));
  f.pass(DurationMs(2 * f.config().reward_vesting.value));
  REQUIRE(f.call(kWanda, Withdraw{kWanda}) == "applied");
  CHECK(f.due().is_zero());
}

TEST_CASE("a reward that is not vested is lost to a slash or a ban, a vested one is not") {
  for (const bool banned : {false, true}) {
    Working f;
    f.close(closed(100));
    f.pass(DurationMs(2 * f.config().reward_vesting.value));
    f.close(closed(10));
    const Balance pool = f.in_pool();
    if (banned) {
      f.act([](Context& ctx) { ban(ctx, kWanda, DurationMs(1)); });
    } else {
      f.council_slash(kWanda, SlashReason::downtime);
    }
    CHECK(f.due() == Balance(900'000));
    CHECK(f.in_pool() == pool);
  }
}

TEST_CASE("an epoch grants so much and no more, the next one again") {
  Working f;
  f.close(closed(11'000));
  CHECK(f.due() == cc(99));
  f.close(closed(11'000));
  CHECK(f.due() == cc(100));
  f.close(closed(11'000));
  CHECK(f.due() == cc(100));
  f.block().epoch = Epoch(2);
  f.close(closed(10));
  CHECK(f.due() > cc(100));
}

TEST_CASE("what disputes take counts against the cap of an epoch, and so do rewards for them") {
  Working f;
  f.act([](Context& ctx) { take_epoch_room(ctx, cc(60)); });
  f.close(closed(11'000));  // 99 CC without the cap
  CHECK(f.due() == cc(40));
  CHECK(epoch_room(f.ctx()).is_zero());
  f.block().epoch = Epoch(2);
  CHECK(epoch_room(f.ctx()) == cc(100));
}

TEST_CASE("an empty pool owes, and pays when it has something") {
  FixtureOptions options;
  options.pool = Balance(400'000);
  Working f(options);
  f.close(closed(100));
  f.pass(DurationMs(2 * f.config().reward_vesting.value));
  REQUIRE(f.call(kWanda, Heartbeat{}) == "applied");
  CHECK(f.in_pool().is_zero());
  CHECK(f.due() == Balance(500'000));
  f.act([](Context& ctx) {
    const auto paid = credits::transfer(ctx, {kEve, credits::reward_pool_account(), cc(1)});
    REQUIRE(paid.ok());
  });
  REQUIRE(f.call(kWanda, Withdraw{kWanda}) == "applied");
  CHECK(f.due().is_zero());
  CHECK(f.in_pool() == Balance(500'000));
}

TEST_CASE("the curve falls with the hours that the network has worked") {
  FixtureOptions options;
  options.config.hour_price = Balance(1);
  options.config.reward_epoch_max = cc(1'000'000);
  Working f(options);
  f.close(closed(1));  // a million hours at this price
  CHECK(f.due() == Balance(9'000));
  f.close(closed(1));
  // 9% · multiplier(1,000,000 of a scale of a million) = 9% · 4.3109…
  CHECK(f.due() == Balance(9'000 + 3'879));
}

TEST_CASE("the list of rewards is bounded, however many channels close") {
  Working f;
  for (int i = 0; i < 400; ++i) {
    f.close(closed(1, 1));
    f.pass(DurationMs(f.config().reward_vesting.value / 100));
  }
  CHECK(f.worker(kWanda).rewards.size() <= 34);
}

// Whoever owns both ends of a channel pays the settlement fee and gets the reward. With
// reward_percent_max at 100 or more, which the chain spec refuses, the checks below fail.
TEST_CASE("dealing with oneself is always a loss") {
  const Config config = main_config();
  const auto loss = [&](Balance fee, std::uint64_t multiplier) {
    const Balance reward = reward_for({fee, multiplier, config.reward_epoch_max}, config);
    REQUIRE(reward <= fee);
    return fee.micro - reward.micro;
  };
  constexpr std::uint64_t kBillion = 1'000'000'000;
  // Every small fee: nothing for nothing, and never less than a tenth lost.
  for (std::uint64_t fee = 0; fee <= 20'000; ++fee) {
    for (std::uint64_t multiplier = 1; multiplier <= 10; ++multiplier) {
      REQUIRE(10 * loss(Balance(fee), multiplier * kBillion) >= fee);
    }
  }
  CHECK(rc::check("any fee and multiplier", [&] {
    const auto fee = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 60);
    // Beyond what the curve gives too: the second limit holds by itself.
    const auto multiplier = *rc::gen::inRange<std::uint64_t>(kBillion, 100 * kBillion);
    RC_ASSERT(10 * loss(Balance(fee), multiplier) >= fee);
  }));
  // In many channels instead of one: each part is rounded down.
  for (std::uint64_t parts = 1; parts <= 1'000; ++parts) {
    REQUIRE(parts * loss(Balance(1'000'000 / parts), 10 * kBillion) >= 100'000 - parts);
  }
}

}  // namespace
}  // namespace tally::workers
