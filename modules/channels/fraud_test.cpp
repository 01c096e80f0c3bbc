// Old states, lost states and cheaters: who gets what.
#include "modules/channels/fixture_test.hpp"

namespace tally::channels {

using W = World;

namespace {

// 100 CC, all of A's; B's gain is taxed at 1%.
struct Quarrel : World {
  ChannelId id = open(cc(100), cc(0));
  ChannelState at(std::uint64_t version, std::uint64_t b_cc, std::uint64_t acked = 0) const {
    return state(id, version, b_cc, acked);
  }
  std::uint64_t gained(const AccountId& who) const {
    return static_cast<std::uint64_t>(chain.wealth(who).micro - cc(900).micro);
  }
};

}  // namespace

TEST_CASE("a payer that runs ahead and claims the newest it holds is only corrected") {
  Quarrel q;
  // A holds 3 co-signed and proposed 5 and 7 on top of it; B has countersigned 7 meanwhile.
  REQUIRE(q.run(q.alice, q.claim_call(q.at(3, 30, 1))) == "applied");
  REQUIRE(q.refute_next_block(q.bob, q.refute_call(q.at(7, 70, 3))) == "applied");
  CHECK(q.chain.channel(q.id)->challenge->fraud == PerSide<std::optional<FraudMark>>{});
  q.settle_all();
  CHECK(q.gained(q.alice) == 30'000'000);
  CHECK(q.gained(q.bob) == 100'000'000 + 70'000'000 - 700'000);
}

TEST_CASE("a proposer that acknowledged more than it claims is a cheater") {
  // Broken on purpose: proves_more() without the acked rule marks nobody here.
  Quarrel q;
  REQUIRE(q.run(q.alice, q.claim_call(q.at(3, 30, 1))) == "applied");
  REQUIRE(q.refute_next_block(q.bob, q.refute_call(q.at(7, 70, 5))) == "applied");
  CHECK_FALSE(q.chain.channel(q.id));  // the victim proved it: over at once
  CHECK(q.gained(q.alice) == 0);
  CHECK(q.gained(q.bob) == 100'000'000 + 100'000'000 - 700'000);
  CHECK(find_event<FraudProved>(q)->cheater == Side::a);
  CHECK(find_event<ChannelClosed>(q)->ending == Ending::fraud);
}

TEST_CASE("one that countersigned more than it claims is a cheater") {
  Quarrel q;
  REQUIRE(q.run(q.bob, q.claim_call(q.at(3, 90))) == "applied");
  REQUIRE(q.refute_next_block(q.alice, q.refute_call(q.at(5, 40))) == "applied");
  CHECK(q.gained(q.alice) == 100'000'000 - 400'000 + 0);
  CHECK(q.gained(q.bob) == 100'000'000);
}

TEST_CASE("a proof by somebody else marks the cheater, and the channel goes on to its deadline") {
  Quarrel q;
  REQUIRE(q.run(q.alice, q.claim_call(q.at(3, 30))) == "applied");
  Refute call = q.refute_call(q.at(6, 60));
  const bool appointed = GENERATE(true, false);
  if (appointed) call.appointment = q.pair.b.sign(appointment_bytes({q.id, q.tom}));
  REQUIRE(q.refute_next_block(q.tom, call) == "applied");
  REQUIRE(q.chain.channel(q.id));
  // A newer state may still replace it, and changes nothing about the mark or the share.
  REQUIRE(q.refute_next_block(key_of("eve").account(), q.refute_call(q.at(8, 80))) == "applied");
  q.settle_all();
  const std::uint64_t forfeit = 20'000'000;
  const std::uint64_t tower = appointed ? forfeit / 10 : 0;
  CHECK(q.gained(q.alice) == 0);
  CHECK(q.gained(q.tom) == 100'000'000 + tower);
  CHECK(q.gained(q.bob) == 100'000'000 + 80'000'000 - 800'000 + forfeit - tower);
}

TEST_CASE("an appointment counts only if it is the victim's, for this tower and channel") {
  Quarrel q;
  REQUIRE(q.run(q.alice, q.claim_call(q.at(3, 30))) == "applied");
  Refute call = q.refute_call(q.at(6, 60));
  const AccountId eve = key_of("eve").account();
  SECTION("the cheater's") {
    call.appointment = q.pair.a.sign(appointment_bytes({q.id, q.tom}));
  }
  SECTION("for another tower") {
    call.appointment = q.pair.b.sign(appointment_bytes({q.id, eve}));
  }
  SECTION("for another channel") {
    call.appointment = q.pair.b.sign(appointment_bytes({ChannelId{}, q.tom}));
  }
  REQUIRE(q.refute_next_block(q.tom, call) == "applied");
  q.settle_all();
  CHECK(q.gained(q.tom) == 100'000'000);
  CHECK(q.gained(q.alice) == 0);
}

TEST_CASE("a cheater that corrects itself is marked all the same") {
  Quarrel q;
  REQUIRE(q.run(q.bob, q.claim_call(q.at(3, 90))) == "applied");
  q.chain.next_block();
  REQUIRE(q.run(q.bob, q.claim_call(q.at(5, 40))) == "applied");
  q.settle_all();
  CHECK(q.gained(q.bob) == 100'000'000);
  CHECK(q.gained(q.alice) == 99'600'000);
}

TEST_CASE("what was posted is remembered through later refutations") {
  Quarrel q;
  // B posts 3, a stranger corrects it to 4 (B's own proposal, nothing acknowledged), A shows 5.
  REQUIRE(q.run(q.bob, q.claim_call(q.at(2, 20))) == "applied");
  REQUIRE(q.refute_next_block(q.tom, q.refute_call(q.at(4, 15))) == "applied");
  CHECK_FALSE(of(Side::b, q.chain.channel(q.id)->challenge->fraud));
  REQUIRE(q.refute_next_block(q.alice, q.refute_call(q.at(5, 10))) == "applied");
  CHECK_FALSE(q.chain.channel(q.id));
  CHECK(q.gained(q.bob) == 100'000'000);
}

TEST_CASE("where both cheated nothing ends at once and each gets the other's forfeit") {
  Quarrel q;
  REQUIRE(q.run(q.alice, q.claim_call(q.at(1, 10))) == "applied");
  // B shows 4: A countersigned it. But B held 7, which A shows: B countersigned that.
  REQUIRE(q.refute_next_block(q.tom, q.refute_call(q.at(2, 20))) == "applied");
  REQUIRE(q.refute_next_block(q.bob, q.refute_call(q.at(3, 30))) == "applied");
  REQUIRE(q.chain.channel(q.id));
  REQUIRE(q.refute_next_block(q.alice, q.refute_call(q.at(7, 70))) == "applied");
  REQUIRE(q.chain.channel(q.id));
  q.settle_all();
  CHECK(q.gained(q.alice) == 70'000'000 - 700'000);
  CHECK(q.gained(q.bob) == 100'000'000 + 30'000'000);
}

TEST_CASE("a refuted request_close costs five percent, at most one credit, if it was a lie") {
  Quarrel q;
  REQUIRE(q.run(q.alice, RequestClose{q.id}) == "applied");
  CHECK(q.chain.channel(q.id)->challenge->deadline.value - q.chain.block.time.value == 70'000);
  SECTION("it countersigned more: capped at a credit") {
    REQUIRE(q.refute_next_block(q.bob, q.refute_call(q.at(2, 20))) == "applied");
    q.settle_all();
    CHECK(q.gained(q.alice) == 79'000'000);
    CHECK(q.gained(q.bob) == 100'000'000 + 20'000'000 - 200'000 + 1'000'000);
  }
  SECTION("it acknowledged more: five percent") {
    REQUIRE(q.refute_next_block(q.bob, q.refute_call(q.at(5, 90, 3))) == "applied");
    q.settle_all();
    CHECK(q.gained(q.alice) == 9'500'000);
  }
  SECTION("nothing shows that it held more") {
    REQUIRE(q.refute_next_block(q.bob, q.refute_call(q.at(5, 20, 0))) == "applied");
    q.settle_all();
    CHECK(q.gained(q.alice) == 80'000'000);
  }
  SECTION("nobody objects") {
    q.settle_all();
    CHECK(q.gained(q.alice) == 100'000'000);
  }
}

TEST_CASE("a refuter without free credits pays from its side of the channel") {
  Quarrel q;
  REQUIRE(q.run(q.alice, q.claim_call(q.at(3, 30, 1))) == "applied");
  q.chain.set_free(q.bob, kMilliCredit);
  q.chain.next_block();
  const Balance fee(30'000);
  CHECK_FALSE(q.chain.call_owing(q.tom, q.refute_call(q.at(7, 70, 3)), fee).ok());  // a stranger
  CHECK_FALSE(q.chain.call_owing(q.bob, q.refute_call(q.at(3, 30, 1)), fee).ok());  // would fail
  CHECK_FALSE(q.chain.call_owing(q.bob, q.refute_call(q.at(7, 0, 3)), fee).ok());   // has nothing
  CHECK_FALSE(q.chain.call_owing(q.bob, RequestClose{q.id}, fee).ok());
  const Balance proposer = q.chain.wealth(q.chain.block.proposer);
  REQUIRE(q.chain.call_owing(q.bob, q.claim_call(q.at(7, 70, 3)), fee).ok());
  q.settle_all();
  CHECK(q.chain.wealth(q.bob).micro == 1'000 + 70'000'000 - 700'000 - 30'000);
  CHECK(q.chain.wealth(q.chain.block.proposer).micro - proposer.micro == 15'000);
}

// Shown to fail by taking may_owe_another() out of may_owe_fee(): Bob would run up fees that no
// close pays which leaves him nothing.
TEST_CASE("a side owes one fee until somebody has answered what it posted") {
  Quarrel q;
  REQUIRE(q.run(q.alice, RequestClose{q.id}) == "applied");
  q.chain.set_free(q.bob, kMilliCredit);
  const Balance fee(30'000);
  const auto owes = [&](const ChannelState& state) {
    q.chain.next_block();
    return q.chain.call_owing(q.bob, q.refute_call(state), fee).ok();
  };
  CHECK(owes(q.at(3, 70)));
  CHECK_FALSE(owes(q.at(5, 80)));
  REQUIRE(q.refute_next_block(q.tom, q.refute_call(q.at(4, 60))) == "applied");
  CHECK(owes(q.at(5, 80)));
  CHECK_FALSE(owes(q.at(7, 90)));
  REQUIRE(q.refute_next_block(q.alice, q.refute_call(q.at(6, 60))) == "applied");
  CHECK(owes(q.at(7, 90)));
  const Balance proposer = q.chain.wealth(q.chain.block.proposer);
  q.settle_all();
  CHECK(q.chain.wealth(q.chain.block.proposer).micro - proposer.micro == 3 * 15'000);
}

TEST_CASE("payouts never fail: what an account cannot receive goes to the reward pool") {
  World w;
  // Nell has no account at all, and her payout is below the existential deposit.
  const KeyPair nell = key_of("nell");
  const Pair pair{w.pair.a, nell};
  const ChannelId id = w.chain.id_of_next(w.alice, nell.account(), W::kPeriod);
  REQUIRE(w.run(w.alice, Open{nell.account(), {W::cc(100)}, {}, std::nullopt, W::kPeriod}) ==
          "applied");
  ChannelState state{id, ChannelVersion(2), Balance(99'999'500), Balance(500), Hash{}, 0, {}};
  const Balance pool = w.chain.wealth(credits::reward_pool_account());
  REQUIRE(w.run(w.tom, Close{pair.close(state)}) == "applied");
  CHECK(w.chain.wealth(nell.account()) == Balance(0));
  CHECK(w.chain.wealth(credits::reward_pool_account()).micro - pool.micro == 495 + 3);
}

}  // namespace tally::channels
