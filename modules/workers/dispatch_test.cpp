// Every call with what it does, and every reason for a refusal in its order.
#include <catch2/catch.hpp>

#include "modules/workers/fixture_test.hpp"

namespace tally::workers {
namespace {

using task::TaskType;

TEST_CASE("a worker registers with its stake and stands in the pools of its offers") {
  Fixture f;
  REQUIRE(
      f.call(kWanda, Register{profile_of({TaskType::prime_calculation, TaskType::vector_search}),
                              compact_cc(150)}) == "applied");
  const Worker worker = f.worker(kWanda);
  CHECK(worker.registered);
  CHECK(worker.bonded == cc(150));
  CHECK(f.held(kWanda) == cc(150));
  CHECK(worker.offers.size() == 2);
  CHECK(worker.offers[0].since == f.block().header_time);
  CHECK(pool(f.state(), primes_pool()) == std::vector{kWanda});
  CHECK(find_profile(f.state(), kWanda)->endpoint == "worker.example:9950");
  CHECK(f.points(kWanda) == 196);  // ¼ · (0.75 + log2(1.5) / 16)
  CHECK(f.join(kWanda) == "already_registered");
}

TEST_CASE("a registration is refused for the first of its reasons") {
  Fixture f;
  Profile bad = profile_of({});
  bad.endpoint = std::string(kMaxEndpoint + 1, 'x');
  const Compact<Balance> huge{Balance((u128{1} << 100) + 1)};
  CHECK(f.call(kWanda, Register{bad, huge}) == "amount_out_of_range");
  CHECK(f.call(kWanda, Register{bad, compact_cc(1)}) == "no_offers");
  bad.offers = profile_of({TaskType::vector_search, TaskType::prime_calculation}).offers;
  bad.offers[0].per_units = 0;
  CHECK(f.call(kWanda, Register{bad, compact_cc(1)}) == "offers_not_ascending");
  bad.offers = profile_of({TaskType::vector_search, TaskType::vector_search}).offers;
  CHECK(f.call(kWanda, Register{bad, compact_cc(1)}) == "offers_not_ascending");
  bad.offers = profile_of().offers;
  bad.offers[0].per_units = 0;
  CHECK(f.call(kWanda, Register{bad, compact_cc(1)}) == "zero_units");
  bad.offers[0].per_units = 1;
  CHECK(f.call(kWanda, Register{bad, compact_cc(1)}) == "endpoint_too_long");
  bad.endpoint.pop_back();
  CHECK(f.call(kWanda, Register{bad, compact_cc(99)}) == "stake_too_small");
  CHECK(f.call(kWanda, Register{bad, compact_cc(10'001)}) == "credits");
  CHECK(f.call(kWanda, Register{bad, compact_cc(100)}) == "applied");
}

TEST_CASE("calls of a worker need one") {
  Fixture f;
  for (const char* expected : {"unknown_worker", "not_registered"}) {
    CHECK(f.call(kWanda, Update{profile_of({})}) == expected);
    CHECK(f.call(kWanda, Deregister{}) == expected);
    CHECK(f.call(kWanda, TopUp{compact_cc(0)}) == expected);
    CHECK(f.call(kWanda, Unstake{compact_cc(0)}) == expected);
    CHECK(f.call(kWanda, Heartbeat{}) == expected);
    CHECK(f.call(kDora, Delegate{kWanda, compact_cc(0)}) == expected);
    if (f.join(kWanda) == "applied") f.call(kWanda, Deregister{});
  }
  CHECK(f.call(kDora, Withdraw{kWill}) == "unknown_worker");
  CHECK(f.call(kDora, Undelegate{kWill, compact_cc(1)}) == "unknown_worker");
}

TEST_CASE("an update keeps the age of what stays offered") {
  Fixture f;
  REQUIRE(f.join(kWanda) == "applied");
  const TimestampMs first = f.block().header_time;
  f.pass(DurationMs(1'000));
  Profile next = profile_of({TaskType::prime_calculation, TaskType::image_resize});
  next.offers[0].price = Balance(7);
  REQUIRE(f.call(kWanda, Update{next}) == "applied");
  CHECK(f.worker(kWanda).offers[0].since == first);
  CHECK(f.worker(kWanda).offers[0].price == Balance(7));
  CHECK(f.worker(kWanda).offers[1].since == f.block().header_time);
  next.environment.bytes.fill(9);
  REQUIRE(f.call(kWanda, Update{next}) == "applied");
  CHECK(f.worker(kWanda).offers[0].since == f.block().header_time);
  CHECK(pool(f.state(), primes_pool()).empty());
  CHECK(pool(f.state(), {TaskType::prime_calculation, next.environment}) == std::vector{kWanda});
  CHECK(f.call(kWanda, Update{profile_of({})}) == "no_offers");
}

TEST_CASE("unstaked credits come back after the unbonding time and cover nothing meanwhile") {
  Fixture f;
  REQUIRE(f.join(kWanda, 150) == "applied");
  CHECK(f.call(kWanda, Unstake{compact_cc(0)}) == "zero_amount");
  CHECK(f.call(kWanda, Unstake{compact_cc(51)}) == "stake_too_small");
  CHECK(f.call(kWanda, Unstake{compact_cc(151)}) == "stake_too_small");
  REQUIRE(f.call(kWanda, Unstake{compact_cc(50)}) == "applied");
  CHECK(f.worker(kWanda).cover() == cc(100));
  CHECK(f.worker(kWanda).effective() == cc(100));
  CHECK(f.held(kWanda) == cc(150));
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "nothing_to_withdraw");
  f.pass(DurationMs(f.config().unbonding.value - 1));
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "nothing_to_withdraw");
  f.pass(DurationMs(1));
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "applied");
  CHECK(f.held(kWanda) == cc(100));
  CHECK(f.free(kWanda) == cc(9'900));
  REQUIRE(f.call(kWanda, TopUp{compact_cc(5)}) == "applied");
  CHECK(f.worker(kWanda).bonded == cc(105));
  CHECK(f.call(kWanda, TopUp{compact_cc(0)}) == "zero_amount");
  CHECK(f.call(kWanda, TopUp{compact_cc(100'000)}) == "credits");
}

TEST_CASE("parts of a stake that unbond are bounded, and those of one moment are one") {
  Fixture f;
  REQUIRE(f.join(kWanda, 1'000) == "applied");
  REQUIRE(f.call(kWanda, Unstake{compact_cc(1)}) == "applied");
  REQUIRE(f.call(kWanda, Unstake{compact_cc(1)}) == "applied");
  CHECK(f.worker(kWanda).unbonding.size() == 1);
  for (std::size_t i = 1; i < kMaxUnbonding; ++i) {
    f.pass(DurationMs(1));
    REQUIRE(f.call(kWanda, Unstake{compact_cc(1)}) == "applied");
  }
  f.pass(DurationMs(1));
  CHECK(f.call(kWanda, Unstake{compact_cc(1)}) == "too_many_unbonding");
  CHECK(f.call(kWanda, Deregister{}) == "too_many_unbonding");
  f.pass(f.config().unbonding);
  REQUIRE(f.call(kWanda, Withdraw{kWanda}) == "applied");
  CHECK(f.worker(kWanda).unbonding.empty());
  CHECK(f.held(kWanda) == cc(1'000 - 17));
}

TEST_CASE("who deregisters gets its stake back later and keeps its history") {
  Fixture f;
  REQUIRE(f.join(kWanda, 150) == "applied");
  f.act([](Context& ctx) { count_failed(ctx, kWanda); });
  REQUIRE(f.call(kWanda, Deregister{}) == "applied");
  CHECK(pool(f.state(), primes_pool()).empty());
  CHECK_FALSE(find_profile(f.state(), kWanda).has_value());
  CHECK(f.worker(kWanda).bonded.is_zero());
  f.pass(f.config().unbonding);
  REQUIRE(f.call(kWanda, Withdraw{kWanda}) == "applied");
  CHECK(f.free(kWanda) == cc(10'000));
  REQUIRE(f.join(kWanda) == "applied");
  CHECK(f.worker(kWanda).failed == 1);
}

TEST_CASE("a delegation counts for the draw and comes back after the unbonding time") {
  Fixture f;
  CHECK(f.call(kDora, Delegate{kWanda, compact_cc(50)}) == "unknown_worker");
  REQUIRE(f.join(kWanda) == "applied");
  CHECK(f.call(kWanda, Delegate{kWanda, compact_cc(50)}) == "own_stake");
  CHECK(f.call(kDora, Delegate{kWanda, compact_cc(0)}) == "zero_amount");
  CHECK(f.call(kDora, Delegate{kWanda, compact_cc(9)}) == "delegation_small");
  CHECK(f.call(kDora, Delegate{kWanda, compact_cc(20'000)}) == "credits");
  REQUIRE(f.call(kDora, Delegate{kWanda, compact_cc(50)}) == "applied");
  CHECK(is_delegator_of(f.state(), kDora, kWanda));
  CHECK(f.worker(kWanda).effective() == cc(150));
  CHECK(f.worker(kWanda).cover() == cc(100));
  CHECK(f.call(kDora, Undelegate{kWanda, compact_cc(0)}) == "zero_amount");
  CHECK(f.call(kDan, Undelegate{kWanda, compact_cc(1)}) == "no_delegation");
  CHECK(f.call(kDora, Undelegate{kWanda, compact_cc(51)}) == "not_that_much");
  CHECK(f.call(kDora, Undelegate{kWanda, compact_cc(41)}) == "delegation_small");
  REQUIRE(f.call(kDora, Undelegate{kWanda, compact_cc(40)}) == "applied");
  CHECK(f.worker(kWanda).effective() == cc(110));
  CHECK(f.call(kDora, Withdraw{kWanda}) == "nothing_to_withdraw");
  CHECK(f.call(kDan, Withdraw{kWanda}) == "no_delegation");
  REQUIRE(f.call(kDora, Undelegate{kWanda, compact_cc(10)}) == "applied");
  CHECK(is_delegator_of(f.state(), kDora, kWanda));
  f.pass(f.config().unbonding);
  REQUIRE(f.call(kDora, Withdraw{kWanda}) == "applied");
  CHECK(f.free(kDora) == cc(10'000));
  CHECK_FALSE(is_delegator_of(f.state(), kDora, kWanda));
  CHECK(kDelegators.get(f.state(), kWanda).empty());
}

TEST_CASE("a worker has only so many delegators, one that is there may always add") {
  FixtureOptions options;
  options.config.delegators_max = 2;
  Fixture f(options);
  REQUIRE(f.join(kWanda) == "applied");
  REQUIRE(f.call(kDora, Delegate{kWanda, compact_cc(10)}) == "applied");
  REQUIRE(f.call(kDan, Delegate{kWanda, compact_cc(10)}) == "applied");
  CHECK(f.call(kEve, Delegate{kWanda, compact_cc(10)}) == "too_many_delegators");
  CHECK(f.call(kDan, Delegate{kWanda, compact_cc(1)}) == "applied");
}

TEST_CASE("a pool holds so many workers and no more") {
  FixtureOptions options;
  options.accounts = 3;
  Fixture f(options);
  std::vector<AccountId> others;
  for (std::uint32_t i = 0; i < kMaxPool - 1; ++i) {
    AccountId account;
    account.bytes = {0xFF, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)};
    others.push_back(account);
  }
  // Planted, since a thousand registrations say no more than one.
  kPools.put(f.state(), primes_pool(), *BoundedVec<AccountId, kMaxPool>::from(others));
  const auto join = [&](const AccountId& who) {
    return text_of(atomically(f.ctx(), [&] {
      return dispatch(f.ctx(), Origin{who}, Register{profile_of(), compact_cc(100)});
    }));
  };
  CHECK(join(kWanda) == "applied");
  CHECK(join(kWill) == "pool_full");
}

TEST_CASE("one heartbeat an interval counts") {
  Fixture f;
  REQUIRE(f.join(kWanda) == "applied");
  CHECK(f.call(kWanda, Heartbeat{}) == "heartbeat_too_early");
  f.pass(f.config().heartbeat_interval);
  CHECK(f.call(kWanda, Heartbeat{}) == "applied");
  CHECK(f.call(kWanda, Heartbeat{}) == "heartbeat_too_early");
  CHECK(kUptime.get(f.state(), kWanda).last_seen == f.block().header_time);
  f.pass(f.config().heartbeat_interval);
  CHECK(f.points(kWanda) == 187);
  f.pass(DurationMs(2 * f.config().heartbeat_interval.value));
  CHECK(f.points(kWanda) == 93);  // two of four hours
}

TEST_CASE("the draw's list leaves out who came late, is banned or has no stake to answer with") {
  Fixture f;
  const auto drawn = [&](Balance cover = cc(5)) {
    std::vector<AccountId> out;
    const TimestampMs before = f.block().header_time;
    for (const Drawable& d : drawable(f.ctx(), {primes_pool(), before, cover})) {
      out.push_back(d.account);
    }
    return out;
  };
  REQUIRE(f.join(kWill) == "applied");
  REQUIRE(f.join(kWanda) == "applied");
  CHECK(drawn().empty());  // since this very moment
  f.pass(DurationMs(1));
  CHECK(drawn() == std::vector{kWanda, kWill});  // by account, not by arrival
  CHECK(drawn(cc(101)).empty());
  f.act([](Context& ctx) { freeze_up_to(ctx, kWill, cc(96)); });
  CHECK(drawn() == std::vector{kWanda});
  f.act([](Context& ctx) { ban(ctx, kWanda, DurationMs(1'000)); });
  CHECK(drawn().empty());
  f.act([](Context& ctx) { unfreeze(ctx, kWill, cc(96)); });
  f.pass(DurationMs(1'000));
  CHECK(drawn() == std::vector{kWanda, kWill});
  f.council_slash(kWanda, SlashReason::downtime);  // below the minimum now
  CHECK(drawn() == std::vector{kWill});
  f.pass(DurationMs(1));
  REQUIRE(f.call(kDora, Delegate{kWill, compact_cc(11)}) == "applied");
  CHECK(drawable(f.ctx(), {primes_pool(), f.block().header_time, cc(5)})[0].effective == cc(111));
}

TEST_CASE("registrations of one block in any order make one list") {
  std::vector<Bytes> pools;
  for (const bool turned : {false, true}) {
    Fixture f;
    REQUIRE(f.join(turned ? kEve : kWanda) == "applied");
    REQUIRE(f.join(kDan) == "applied");
    REQUIRE(f.join(turned ? kWanda : kEve) == "applied");
    pools.push_back(encode(pool(f.state(), primes_pool())));
  }
  CHECK(pools[0] == pools[1]);
}

}  // namespace
}  // namespace tally::workers
