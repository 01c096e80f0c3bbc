// Calls of an ordinary life: open, accept, cancel, pay, splice, close, settle.
#include "modules/channels/fixture_test.hpp"

namespace tally::channels {

using W = World;

TEST_CASE("a channel with the counterparty's consent is open at once") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  CHECK(w.chain.channel(id)->phase == Phase::open);
  CHECK(w.chain.held(w.alice) == W::cc(60));
  CHECK(w.chain.held(w.bob) == W::cc(40));
  const auto* event = find_event<ChannelOpened>(w);
  REQUIRE(event != nullptr);
  CHECK(event->channel_id == id);
  CHECK_FALSE(event->pending);
}

TEST_CASE("ids are never reused") {
  World w;
  const ChannelId first = w.open(W::cc(10), W::cc(0));
  CHECK(w.run(w.alice, CloseUnilateral{first, std::nullopt}) == "applied");
  w.settle_all();
  CHECK_FALSE(w.chain.channel(first));
  CHECK(w.open(W::cc(10), W::cc(0)) != first);
}

TEST_CASE("without consent a channel waits for the counterparty, and can be taken back") {
  World w;
  const ChannelId id = w.chain.id_of_next(w.alice, w.bob, W::kPeriod);
  const Open call{w.bob, {W::cc(60)}, {W::cc(40)}, std::nullopt, W::kPeriod};
  CHECK(w.run(w.alice, call) == "applied");
  CHECK(w.chain.channel(id)->phase == Phase::pending);
  CHECK(w.chain.held(w.bob) == W::cc(0));
  CHECK(w.run(w.alice, Accept{id}) == "not_a_participant");
  CHECK(w.run(w.bob, Cancel{id}) == "not_a_participant");
  CHECK(w.run(w.bob, CloseUnilateral{id, std::nullopt}) == "wrong_phase");
  CHECK(w.run(w.bob, RequestClose{id}) == "wrong_phase");
  CHECK(w.run(w.bob, Close{w.pair.close(W::state(id, 1, 10))}) == "wrong_phase");
  CHECK(w.run(w.bob, w.refute_call(W::state(id, 1, 10))) == "wrong_phase");
  CHECK(w.run(w.bob, Settle{id}) == "wrong_phase");

  SECTION("accepted") {
    CHECK(w.run(w.bob, Accept{id}) == "applied");
    CHECK(w.chain.channel(id)->phase == Phase::open);
    CHECK(w.chain.held(w.bob) == W::cc(40));
    CHECK(w.run(w.bob, Accept{id}) == "wrong_phase");
    CHECK(w.run(w.alice, Cancel{id}) == "wrong_phase");
  }
  SECTION("cancelled") {
    CHECK(w.run(w.alice, Cancel{id}) == "applied");
    CHECK_FALSE(w.chain.channel(id));
    CHECK(w.chain.held(w.alice) == W::cc(0));
    CHECK(w.run(w.bob, Accept{id}) == "unknown_channel");
  }
  SECTION("accepted without the credits") {
    w.chain.set_free(w.bob, W::cc(40));
    CHECK(w.run(w.bob, Accept{id}) == "Credits.0");
  }
}

TEST_CASE("what open refuses, in order of precedence") {
  Config config = local_config();
  config.open_max = 1;
  World w(config);
  Open call = w.open_call(W::cc(60), W::cc(40));
  // Everything is wrong at first; each step mends the reason that was given.
  w.open(W::cc(1), W::cc(0));
  call = w.open_call(W::cc(60), W::cc(40));
  call.counterparty = w.alice;
  call.challenge_period = DurationMs(1);
  call.deposit.value = Balance(1);
  call.counterparty_deposit.value = Balance(1);
  call.consent->valid_until = BlockNumber(0);
  CHECK(w.run(w.alice, call) == "same_account");
  call.counterparty = w.bob;
  CHECK(w.run(w.alice, call) == "period_out_of_range");
  call.challenge_period = DurationMs(config.period_max.value + 1);
  CHECK(w.run(w.alice, call) == "period_out_of_range");
  call.challenge_period = W::kPeriod;
  CHECK(w.run(w.alice, call) == "deposit_too_small");
  call.deposit.value = Balance((u128{1} << 100) + 1);
  CHECK(w.run(w.alice, call) == "amount_out_of_range");
  call.deposit.value = Balance(~u128{0});
  CHECK(w.run(w.alice, call) == "amount_out_of_range");
  call.deposit.value = W::cc(2'000);
  CHECK(w.run(w.alice, call) == "too_many_channels");

  World roomy;
  call.consent->valid_until = BlockNumber(0);
  CHECK(roomy.run(roomy.alice, call) == "expired");
  call = roomy.open_call(W::cc(2'000), W::cc(40));
  call.deposit.value = W::cc(1'999);
  CHECK(roomy.run(roomy.alice, call) == "bad_signature_b");
  call = roomy.open_call(W::cc(2'000), W::cc(40));
  CHECK(roomy.run(roomy.alice, call) == "Credits.0");
  CHECK(roomy.run(roomy.alice, roomy.open_call(W::cc(20), W::cc(4'000))) == "Credits.0");
}

TEST_CASE("a consent is good for one channel with one set of terms") {
  World w;
  const Open call = w.open_call(W::cc(60), W::cc(40));
  CHECK(w.run(w.alice, call) == "applied");
  CHECK(w.run(w.alice, call) == "bad_signature_b");  // the counter moved on
}

TEST_CASE("a co-operative close pays at once, less one percent of what was gained") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  const Balance pool = w.chain.wealth(credits::reward_pool_account());
  const Balance issuance = credits::total_issuance(w.chain.state());
  CHECK(w.run(w.tom, Close{w.pair.close(W::state(id, 7, 90))}) == "applied");
  CHECK_FALSE(w.chain.channel(id));
  // B gained 50 CC: half a credit of fee, half of it burned.
  CHECK(w.chain.wealth(w.alice) == Balance(950 * kCredit.micro));
  CHECK(w.chain.wealth(w.bob) == Balance(1'049'500'000));
  CHECK(w.chain.wealth(credits::reward_pool_account()).micro - pool.micro == 250'000);
  CHECK(issuance.micro - credits::total_issuance(w.chain.state()).micro == 250'000);
  const auto* event = find_event<ChannelClosed>(w);
  REQUIRE(event != nullptr);
  CHECK(event->ending == Ending::co_operative);
  CHECK(event->payouts.settlement_fee == Balance(500'000));
}

TEST_CASE("what close refuses, in order of precedence") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  ChannelState state = W::state(id, 7, 90, 7);
  state.channel_id = ChannelId{};
  CHECK(w.run(w.tom, Close{w.pair.close(state)}) == "unknown_channel");
  state = W::state(id, 0, 90, 0);
  state.balance_a = W::cc(11);
  CHECK(w.run(w.tom, Close{w.pair.update(state)}) == "wrong_sum");
  state.balance_a = W::cc(10);
  CHECK(w.run(w.tom, Close{w.pair.update(state)}) == "version_not_above_floor");
  state = W::state(id, 7, 90, 7);
  CHECK(w.run(w.tom, Close{w.pair.update(state)}) == "acked_not_below_version");
  state = W::state(id, 7, 90, 6);
  CHECK(w.run(w.tom, Close{w.pair.update(state)}) == "bad_signature_a");  // another intent
  CoSignedState close = w.pair.close(state);
  close.signature_b = close.signature_a;
  CHECK(w.run(w.tom, Close{close}) == "bad_signature_b");
  state.balance_a = Balance(~u128{0});  // an overflowing sum is a wrong one
  CHECK(w.run(w.tom, Close{w.pair.close(state)}) == "wrong_sum");
}

TEST_CASE("a claim waits for its period and settles by itself") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  CHECK(w.run(w.tom, w.claim_call(W::state(id, 3, 50))) == "not_a_participant");
  CHECK(w.run(w.bob, w.claim_call(W::state(id, 3, 50))) == "applied");
  CHECK(w.chain.channel(id)->challenge->standing.version == ChannelVersion(3));
  CHECK(w.run(w.bob, CloseUnilateral{id, std::nullopt}) == "nothing_claimed");
  CHECK(w.run(w.alice, RequestClose{id}) == "wrong_phase");
  CHECK(w.run(w.alice, w.pair.splice({W::state(id, 9, 50), {}, {}, BlockNumber(99)})) ==
        "wrong_phase");
  CHECK(w.run(w.tom, Settle{id}) == "deadline_not_reached");
  w.chain.pass(DurationMs(W::kPeriod.value - 500));
  CHECK(w.chain.channel(id));
  w.chain.pass(DurationMs(600));
  CHECK_FALSE(w.chain.channel(id));
  CHECK(w.chain.wealth(w.bob) == Balance(1'009'900'000));
}

TEST_CASE("what refute refuses, in order of precedence") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  CHECK(w.run(w.tom, w.refute_call(W::state(id, 5, 50))) == "wrong_phase");
  REQUIRE(w.run(w.alice, w.claim_call(W::state(id, 3, 50))) == "applied");
  REQUIRE(w.refute_next_block(w.tom, w.refute_call(W::state(id, 5, 50))) == "applied");

  ChannelState bad = W::state(id, 0, 50, 9);
  bad.balance_b = Balance(1);
  const Refute wrong{{bad, w.pair.a.sign({}), w.pair.b.sign({})}, std::nullopt};
  Refute call = wrong;
  call.update.state.channel_id = ChannelId{};
  CHECK(w.run(w.tom, call) == "unknown_channel");
  CHECK(w.run(w.tom, wrong) == "refuted_in_this_block");
  w.chain.next_block();
  CHECK(w.run(w.tom, wrong) == "wrong_sum");
  call = wrong;
  call.update.state.balance_b = W::cc(50);
  CHECK(w.run(w.tom, call) == "version_not_above_floor");
  call.update.state.version = ChannelVersion(5);
  CHECK(w.run(w.tom, call) == "version_not_above_standing");
  call.update.state.version = ChannelVersion(7);
  CHECK(w.run(w.tom, call) == "acked_not_below_version");
  call.update.state.acked = ChannelVersion(5);
  CHECK(w.run(w.tom, call) == "bad_signature_a");
  call.update.signature_a = w.pair.update(call.update.state).signature_a;
  CHECK(w.run(w.tom, call) == "bad_signature_b");
  w.chain.block.time = TimestampMs(w.chain.block.time.value + 3 * W::kPeriod.value);
  CHECK(w.run(w.tom, wrong) == "deadline_passed");
  CHECK(w.run(w.tom, Settle{id}) == "applied");
}

TEST_CASE("a refutation moves the deadline, but not past twice the period") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  REQUIRE(w.run(w.alice, w.claim_call(W::state(id, 3, 50))) == "applied");
  const std::uint64_t start = w.chain.channel(id)->challenge->started.value;
  const auto deadline = [&] { return w.chain.channel(id)->challenge->deadline.value - start; };
  CHECK(deadline() == 10'000);
  REQUIRE(w.refute_next_block(w.tom, w.refute_call(W::state(id, 5, 50))) == "applied");
  CHECK(deadline() == 10'000);
  w.chain.pass(DurationMs(9'800));
  REQUIRE(w.run(w.tom, w.refute_call(W::state(id, 7, 50))) == "applied");
  CHECK(deadline() == 14'900);
  w.chain.pass(DurationMs(4'900));
  REQUIRE(w.run(w.tom, w.refute_call(W::state(id, 9, 50))) == "applied");
  CHECK(deadline() == 19'800);
  w.chain.pass(DurationMs(4'900));
  REQUIRE(w.run(w.tom, w.refute_call(W::state(id, 11, 50))) == "applied");
  CHECK(deadline() == 20'000);
}

TEST_CASE("a busy lane stretches a challenge that is already running") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  REQUIRE(w.run(w.alice, w.claim_call(W::state(id, 3, 50))) == "applied");
  w.chain.block.period_stretch = PeriodStretch(2'500);
  w.chain.pass(DurationMs(10'100));
  REQUIRE(w.chain.channel(id));
  CHECK(w.run(w.tom, Settle{id}) == "deadline_not_reached");
  REQUIRE(w.run(w.bob, w.refute_call(W::state(id, 5, 40))) == "applied");
  w.chain.pass(DurationMs(15'000));
  CHECK_FALSE(w.chain.channel(id));
}

TEST_CASE("at most so many settle in a block, the rest in the next ones") {
  Config config = local_config();
  config.settlements_max = 4;
  World w(config);
  std::vector<ChannelId> ids;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(w.open(W::cc(1), W::cc(0)));
    REQUIRE(w.run(w.alice, CloseUnilateral{ids.back(), std::nullopt}) == "applied");
  }
  const auto left = [&] {
    std::size_t n = 0;
    for (const ChannelId& id : ids) n += w.chain.channel(id).has_value() ? 1U : 0U;
    return n;
  };
  w.chain.next_block(DurationMs(10'100));
  CHECK(left() == 6);
  w.chain.next_block();
  CHECK(left() == 2);
  w.chain.next_block();
  CHECK(left() == 0);
  CHECK_FALSE(deadline_due(w.chain.state(), config, TimestampMs(w.chain.block.time.value * 2)));
}

TEST_CASE("a splice moves credits in and out and raises the floor") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  // A has paid B 30; A adds 20, B takes 50 out, some of it from A's hold.
  SpliceBody body{W::state(id, 8, 20), BalanceDelta(20'000'000), BalanceDelta(-50'000'000),
                  BlockNumber(5)};
  body.state.balance_a = W::cc(50);
  CHECK(w.run(w.bob, w.pair.splice(body)) == "applied");
  CHECK(w.chain.held(w.alice) == W::cc(70));
  CHECK(w.chain.held(w.bob) == W::cc(0));
  CHECK(w.chain.wealth(w.bob) == Balance(1'010'000'000));
  CHECK(w.chain.channel(id)->floor.version == ChannelVersion(8));
  CHECK(w.run(w.bob, w.pair.splice(body)) == "wrong_sum");  // once more

  ChannelState old = W::state(id, 7, 20);
  old.balance_a = W::cc(50);
  CHECK(w.run(w.alice, w.claim_call(old)) == "version_not_above_floor");
  REQUIRE(w.run(w.alice, CloseUnilateral{id, std::nullopt}) == "applied");
  w.settle_all();
  // B gained 30 in all, the splice apart: 0.3 CC of fee from what it has left.
  CHECK(w.chain.wealth(w.bob) == Balance(1'029'700'000));
  CHECK(w.chain.wealth(w.alice) == W::cc(970));
}

TEST_CASE("what splice refuses, in order of precedence") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  SpliceBody body{W::state(id, 0, 0, 4), BalanceDelta(static_cast<i128>(u128{1} << 101)),
                  BalanceDelta(-100'000'000), BlockNumber(0)};
  CHECK(w.run(w.tom, w.pair.splice(body)) == "not_a_participant");
  CHECK(w.run(w.bob, w.pair.splice(body)) == "amount_out_of_range");
  body.delta_a = BalanceDelta(-100'000'000);
  CHECK(w.run(w.bob, w.pair.splice(body)) == "deposit_too_small");
  body.delta_a = BalanceDelta(0);
  CHECK(w.run(w.bob, w.pair.splice(body)) == "deposit_too_small");
  body.delta_b = BalanceDelta(-90'000'000);
  CHECK(w.run(w.bob, w.pair.splice(body)) == "expired");
  body.valid_until = w.chain.block.number;
  CHECK(w.run(w.bob, w.pair.splice(body)) == "wrong_sum");
  body.state.balance_a = W::cc(10);
  CHECK(w.run(w.bob, w.pair.splice(body)) == "version_not_above_floor");
  body.state.version = ChannelVersion(4);
  CHECK(w.run(w.bob, w.pair.splice(body)) == "acked_not_below_version");
  body.state.acked = ChannelVersion(3);
  Splice call = w.pair.splice(body);
  call.signature_a = call.signature_b;
  CHECK(w.run(w.bob, call) == "fee_not_covered");  // B takes its gain and leaves no fee
  body.state.balance_a = W::cc(9);
  body.state.balance_b = W::cc(1);
  call = w.pair.splice(body);
  std::swap(call.signature_a, call.signature_b);
  CHECK(w.run(w.bob, call) == "bad_signature_a");
  call.signature_a = call.signature_b;
  call.signature_b = call.signature_a;
  CHECK(w.run(w.bob, call) == "bad_signature_b");
  body.delta_a = BalanceDelta(2'000'000'000);
  body.state.balance_a = W::cc(2'009);
  CHECK(w.run(w.bob, w.pair.splice(body)) == "Credits.0");
}

TEST_CASE("no signature for one purpose passes for another") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  const ChannelState state = W::state(id, 4, 50);
  CHECK(w.run(w.alice, CloseUnilateral{id, w.pair.close(state)}) == "bad_signature_a");
  const SpliceBody body{state, {}, {}, BlockNumber(9)};
  const CoSignedState update = w.pair.update(state);
  CHECK(w.run(w.alice, Splice{body, update.signature_a, update.signature_b}) == "bad_signature_a");
  const Splice spliced = w.pair.splice(body);
  CHECK(w.run(w.alice, Close{{state, spliced.signature_a, spliced.signature_b}}) ==
        "bad_signature_a");
}

// Each signature may be plain or wrapped, which takes a check each.
TEST_CASE("a call weighs the signature checks that it may take") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  const ChannelState state = W::state(id, 4, 50);
  const auto checks = [](const Call& call) {
    constexpr std::uint64_t kDearer = 90'000'000;
    return properties(call).weight.value / kDearer;
  };
  CHECK(checks(w.open_call(W::cc(1), W::cc(1))) == 2);
  CHECK(checks(w.open_call(W::cc(1), {})) == 0);
  CHECK(checks(Close{w.pair.close(state)}) == 4);
  CHECK(checks(w.pair.splice({state, {}, {}, BlockNumber(9)})) == 4);
  CHECK(checks(w.claim_call(state)) == 4);
  CHECK(checks(CloseUnilateral{id, std::nullopt}) == 0);
  CHECK(checks(w.refute_call(state)) == 4);
  Refute shown = w.refute_call(state);
  shown.appointment = w.pair.a.sign(appointment_bytes({id, w.tom}));
  CHECK(checks(shown) == 6);
}

TEST_CASE("operational calls are those that end a channel") {
  World w;
  const ChannelId id = w.open(W::cc(60), W::cc(40));
  const ChannelState state = W::state(id, 4, 50);
  CHECK(is_operational(Close{w.pair.close(state)}));
  CHECK(is_operational(w.claim_call(state)));
  CHECK(is_operational(RequestClose{id}));
  CHECK(is_operational(w.refute_call(state)));
  CHECK(is_operational(Settle{id}));
  CHECK_FALSE(is_operational(w.open_call(W::cc(1), W::cc(1))));
  CHECK_FALSE(is_operational(Accept{id}));
  CHECK_FALSE(is_operational(Cancel{id}));
  CHECK_FALSE(is_operational(w.pair.splice({state, {}, {}, BlockNumber(9)})));
}

}  // namespace tally::channels
