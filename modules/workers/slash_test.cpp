// Slashes, bans, and stake that answers for a dispute.
#include <catch2/catch.hpp>

#include "modules/workers/fixture_test.hpp"

namespace tally::workers {
namespace {

struct Staked : Fixture {
  Staked() {
    REQUIRE(join(kWanda, 200) == "applied");
    REQUIRE(call(kDora, Delegate{kWanda, compact_cc(100)}) == "applied");
    REQUIRE(call(kDan, Delegate{kWanda, compact_cc(50)}) == "applied");
    REQUIRE(call(kWanda, Unstake{compact_cc(40)}) == "applied");
    REQUIRE(call(kDora, Undelegate{kWanda, compact_cc(60)}) == "applied");
  }
};

TEST_CASE("the council slashes when enough members ask for the same") {
  Staked f;
  Hash evidence;
  const ApproveSlash ask{kWanda, SlashReason::spam, evidence};
  CHECK(f.call(kEve, ask) == "not_in_council");
  CHECK(f.call(kCarl, ApproveSlash{kWill, SlashReason::spam, evidence}) == "unknown_worker");
  REQUIRE(f.call(kCarl, ask) == "applied");
  CHECK(f.call(kCarl, ask) == "already_approved");
  CHECK(f.held(kWanda) == cc(200));
  // Another reason or another case is another motion.
  REQUIRE(f.call(kCora, ApproveSlash{kWanda, SlashReason::sybil, evidence}) == "applied");
  CHECK(f.held(kWanda) == cc(200));
  CHECK(kMotions.get(f.state()).size() == 2);
  REQUIRE(f.call(kCurt, ask) == "applied");
  CHECK(f.held(kWanda) == cc(180));
  CHECK(kMotions.get(f.state()).size() == 1);
}

TEST_CASE("a motion lapses, and a member begins only so many") {
  Staked f;
  Hash evidence;
  for (std::uint8_t i = 0; i < kMaxMotions; ++i) {
    evidence.bytes[0] = i;
    REQUIRE(f.call(kCarl, ApproveSlash{kWanda, SlashReason::spam, evidence}) == "applied");
  }
  evidence.bytes[0] = 0xFF;
  CHECK(f.call(kCarl, ApproveSlash{kWanda, SlashReason::spam, evidence}) == "too_many_motions");
  CHECK(f.call(kCora, ApproveSlash{kWanda, SlashReason::spam, evidence}) == "applied");
  f.pass(f.config().motion_life);
  evidence.bytes[0] = 0;
  REQUIRE(f.call(kCora, ApproveSlash{kWanda, SlashReason::spam, evidence}) == "applied");
  CHECK(f.held(kWanda) == cc(200));  // Carl's approval is gone
  CHECK(kMotions.get(f.state()).size() == 1);
}

TEST_CASE("without a council nobody slashes") {
  FixtureOptions options;
  options.council = {};
  Fixture f(options);
  REQUIRE(f.join(kWanda) == "applied");
  CHECK(f.call(kCarl, ApproveSlash{kWanda, SlashReason::spam, Hash{}}) == "not_in_council");
}

// Every part loses the same share: own and delegated, bonded and unbonding.
TEST_CASE("a slash burns each reason's share of all stake") {
  struct Case {
    SlashReason reason;
    std::uint64_t percent;
  };
  for (const Case& c : {Case{SlashReason::downtime, 1}, Case{SlashReason::invalid_result, 10},
                        Case{SlashReason::spam, 10}, Case{SlashReason::double_spend, 50},
                        Case{SlashReason::sybil, 100}, Case{SlashReason::malicious, 100}}) {
    Staked f;
    const Balance issued = f.issued();
    f.council_slash(kWanda, c.reason);
    CAPTURE(c.percent);
    CHECK(f.held(kWanda) == Balance(cc(200).micro * (100 - c.percent) / 100));
    CHECK(f.held(kDora) == Balance(cc(100).micro * (100 - c.percent) / 100));
    CHECK(f.held(kDan) == Balance(cc(50).micro * (100 - c.percent) / 100));
    CHECK(issued.micro - f.issued().micro == cc(350).micro * c.percent / 100);
    CHECK(is_delegator_of(f.state(), kDan, kWanda) == (c.percent < 100));
  }
}

TEST_CASE("unbonding stake is slashed too, until it is withdrawn") {
  Staked f;
  f.pass(f.config().unbonding);
  f.council_slash(kWanda, SlashReason::double_spend);
  REQUIRE(f.call(kWanda, Withdraw{kWanda}) == "applied");
  REQUIRE(f.call(kDora, Withdraw{kWanda}) == "applied");
  // Bonded stake goes first: 100 of 160 are gone, the 40 that unbonded come back whole.
  CHECK(f.held(kWanda) == cc(60));
  CHECK(f.wealth(kWanda) == cc(9'900));
  CHECK(f.wealth(kDora) == cc(9'950));
}

// Without slash_due a worker could have itself disputed to sit a slash out.
TEST_CASE("frozen stake answers for its dispute first and for the slash when it thaws") {
  Staked f;
  f.act([](Context& ctx) { CHECK(freeze_up_to(ctx, kWanda, cc(150)) == cc(150)); });
  f.council_slash(kWanda, SlashReason::malicious);
  CHECK(f.held(kWanda) == cc(150));
  CHECK(f.worker(kWanda).slash_due == cc(150));
  CHECK(f.worker(kWanda).effective().is_zero());
  f.act([](Context& ctx) { pay_from_frozen(ctx, kWanda, kEve, cc(20)); });
  CHECK(f.free(kEve) == cc(10'020));
  f.act([](Context& ctx) { burn_frozen(ctx, kWanda, cc(1)); });
  const Balance issued = f.issued();
  f.act([](Context& ctx) { unfreeze(ctx, kWanda, cc(129)); });
  CHECK(f.held(kWanda).is_zero());
  CHECK(issued.micro - f.issued().micro == cc(129).micro);
}

TEST_CASE("what is frozen stays, whatever the worker does") {
  Fixture f;
  REQUIRE(f.join(kWanda, 120) == "applied");
  REQUIRE(f.call(kWanda, Unstake{compact_cc(20)}) == "applied");
  // Unbonding stake answers for the tasks of the time when it was bonded.
  f.act([](Context& ctx) { CHECK(freeze_up_to(ctx, kWanda, cc(110)) == cc(110)); });
  f.act([](Context& ctx) { CHECK(freeze_up_to(ctx, kWanda, cc(110)) == cc(10)); });
  f.act([](Context& ctx) { CHECK(freeze_up_to(ctx, kWanda, cc(1)).is_zero()); });
  f.act([](Context& ctx) { CHECK(freeze_up_to(ctx, kEve, cc(1)).is_zero()); });
  CHECK(f.worker(kWanda).cover().is_zero());
  REQUIRE(f.call(kWanda, Deregister{}) == "applied");
  f.pass(f.config().unbonding);
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "nothing_to_withdraw");
  f.act([](Context& ctx) { unfreeze(ctx, kWanda, cc(70)); });
  REQUIRE(f.call(kWanda, Withdraw{kWanda}) == "applied");
  CHECK(f.held(kWanda) == cc(50));
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "nothing_to_withdraw");
  f.act([](Context& ctx) { pay_from_frozen(ctx, kWanda, kWanda, cc(50)); });
  CHECK(f.free(kWanda) == cc(10'000));
}

TEST_CASE("awards and fines come from own stake alone") {
  Staked f;
  f.act([](Context& ctx) { CHECK(freeze_up_to(ctx, kWanda, cc(1'000)) == cc(200)); });
  f.act([](Context& ctx) { burn_frozen(ctx, kWanda, cc(200)); });
  CHECK(f.held(kDora) == cc(100));
  CHECK(f.held(kDan) == cc(50));
}

TEST_CASE("a banned worker's stake stays until the ban ends, its delegators' does not") {
  Staked f;
  f.pass(f.config().unbonding);
  f.act([](Context& ctx) { ban(ctx, kWanda, DurationMs(1'000)); });
  f.act([](Context& ctx) { ban(ctx, kWanda, DurationMs(10)); });  // no ban is shortened
  CHECK(f.points(kWanda) == 0);
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "banned");
  CHECK(f.call(kWanda, Unstake{compact_cc(1)}) == "banned");
  CHECK(f.call(kWanda, Deregister{}) == "banned");
  CHECK(f.call(kDan, Delegate{kWanda, compact_cc(10)}) == "banned");
  CHECK(f.call(kDan, Undelegate{kWanda, compact_cc(50)}) == "applied");
  CHECK(f.call(kDora, Withdraw{kWanda}) == "applied");
  f.pass(DurationMs(999));
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "banned");
  f.pass(DurationMs(1));
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "applied");
}

TEST_CASE("a ban holds for a worker that has left") {
  Fixture f;
  REQUIRE(f.join(kWanda) == "applied");
  REQUIRE(f.call(kWanda, Deregister{}) == "applied");
  f.act([](Context& ctx) { ban(ctx, kWanda, DurationMs(30 * 86'400'000ull)); });
  f.pass(f.config().unbonding);
  CHECK(f.call(kWanda, Withdraw{kWanda}) == "banned");
  CHECK(f.join(kWanda) == "banned");
}

TEST_CASE("a penalty counts from before an account was a worker, and is at most full") {
  Fixture f;
  f.act([](Context& ctx) { add_penalty(ctx, kWanda, 5); });
  REQUIRE(f.join(kWanda) == "applied");
  CHECK(f.points(kWanda) == 182);
  f.act([](Context& ctx) { add_penalty(ctx, kWanda, 2'000'000'000); });
  CHECK(penalty_of(f.state(), kWanda) == kPenaltyFull);
  CHECK(f.points(kWanda) == 0);
}

}  // namespace
}  // namespace tally::workers
