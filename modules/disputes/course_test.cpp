// The course of a dispute, from the challenge to the last payment, and what it costs whom.
// Amounts: f = 1 CC, bond = 10 + 7·1 + 1 = 18 CC, award 10, burn 1, fine 5.
#include "modules/disputes/fixture_test.hpp"

namespace tally::disputes {
namespace {

constexpr long long kCc = 1'000'000;

TEST_CASE("disputes: a right result is accepted, and its challenger pays") {
  World world;
  const Wealth wealth(world.chain);
  const DisputeNumber number = world.open("right");
  CHECK(world.phase(number) == Phase::awaiting_draw);
  CHECK(world.dispute(number).bond == cc(18));
  CHECK(world.dispute(number).stake == cc(18));
  CHECK(world.chain.worker(world.wendy).frozen == cc(18));
  world.draw();
  REQUIRE(world.phase(number) == Phase::commit);
  const auto verifiers = world.seated(number);
  REQUIRE(verifiers.size() == 3);
  world.vote(number, {vote_for("right"), vote_for("right"), vote_for("right")});
  REQUIRE(world.phase(number) == Phase::decided);
  CHECK(world.dispute(number).verdict->outcome == Outcome::accepted);
  CHECK(wealth.burned() == 0);  // nothing is paid while it may be appealed
  world.end();
  REQUIRE(world.phase(number) == Phase::ended);
  CHECK(wealth.gain(world.alice) == -14 * kCc);
  CHECK(wealth.gain(world.wendy) == 10 * kCc);
  for (const AccountId& verifier : verifiers) CHECK(wealth.gain(verifier) == kCc);
  CHECK(wealth.burned() == kCc);
  CHECK(wealth.from_pool() == 0);
  CHECK(workers::penalty_of(world.chain.state(), world.alice) == 5);
  CHECK(world.chain.worker(world.wendy).done == 1);
  CHECK(world.chain.worker(world.wendy).frozen == Balance{});
  CHECK_FALSE(find_case(world.chain.state(), number).has_value());
}

TEST_CASE("disputes: a wrong result is rejected, and its worker pays and is banned") {
  World world;
  const Wealth wealth(world.chain);
  const DisputeNumber number = world.open("wrong");
  world.draw();
  const auto verifiers = world.seated(number);
  world.vote(number, {vote_for("right"), vote_for("wrong"), vote_for("right")});
  REQUIRE(world.phase(number) == Phase::decided);
  world.end();
  CHECK(wealth.gain(world.alice) == 10 * kCc);
  CHECK(wealth.gain(world.wendy) == -13 * kCc);
  CHECK(wealth.gain(verifiers[0]) == kCc);
  CHECK(wealth.gain(verifiers[1]) == -5 * kCc);
  CHECK(wealth.gain(verifiers[2]) == kCc);
  CHECK(wealth.burned() == 6 * kCc);
  CHECK(world.chain.worker(world.wendy).is_banned(world.chain.block.time));
  CHECK(world.chain.worker(world.wendy).failed == 1);
  CHECK(workers::penalty_of(world.chain.state(), world.alice) == 0);
}

TEST_CASE("disputes: an input that is not to be had costs the challenger, without blame") {
  World world;
  const Wealth wealth(world.chain);
  const DisputeNumber number = world.open(World::hosted(world.challenge_of(world.receipt())));
  world.draw();
  const auto verifiers = world.seated(number);
  world.vote(number, {UnavailableVote{}, vote_for("right"), UnavailableVote{}});
  REQUIRE(world.dispute(number).verdict->outcome == Outcome::unavailable);
  world.end();
  CHECK(wealth.gain(world.alice) == -13 * kCc);
  CHECK(wealth.gain(world.wendy) == 10 * kCc);
  CHECK(wealth.gain(verifiers[1]) == -5 * kCc);
  CHECK(workers::penalty_of(world.chain.state(), world.alice) == 0);
  CHECK(world.chain.worker(world.wendy).done == 0);
}

// Shown to fail by letting `unavailable` count whatever the input (rules.cpp, agreed()).
TEST_CASE("disputes: an input that is inline is always to be had") {
  World world;
  const DisputeNumber number = world.open("wrong");
  world.draw();
  world.vote(number, {UnavailableVote{}, UnavailableVote{}, vote_for("right")});
  CHECK(world.dispute(number).round == Round::second);
  CHECK(world.phase(number) == Phase::commit);
}

TEST_CASE("disputes: four more are called once, and four equal votes of seven decide") {
  World world;
  const Wealth wealth(world.chain);
  const DisputeNumber number = world.open("wrong");
  world.draw();
  const auto first = world.seated(number);
  world.vote(number, {vote_for("right"), vote_for("wrong"), vote_for("odd")});
  REQUIRE(world.dispute(number).round == Round::second);
  const auto second = world.seated(number);
  REQUIRE(second.size() == 4);
  for (const AccountId& verifier : second) {
    CHECK(std::find(first.begin(), first.end(), verifier) == first.end());
  }
  world.vote(number, {vote_for("right"), vote_for("right"), vote_for("wrong"), vote_for("right")});
  REQUIRE(world.phase(number) == Phase::decided);
  CHECK(world.dispute(number).verdict->outcome == Outcome::rejected);
  world.end();
  CHECK(wealth.gain(first[0]) == kCc);
  CHECK(wealth.gain(first[1]) == -5 * kCc);
  CHECK(wealth.gain(second[3]) == kCc);
  CHECK(wealth.gain(world.wendy) == -(4 + 10 + 1) * kCc);
  CHECK(wealth.burned() == (1 + 3 * 5) * kCc);
}

TEST_CASE("disputes: without four equal votes nobody is fined and each side pays half") {
  World world;
  const Wealth wealth(world.chain);
  const task::Receipt receipt = world.receipt("wrong");
  const DisputeNumber number = world.open(world.challenge_of(receipt));
  world.draw();
  const auto first = world.seated(number);
  world.vote(number, {vote_for("a"), vote_for("b"), std::nullopt});
  const auto second = world.seated(number);
  world.vote(number, {vote_for("a"), vote_for("b"), vote_for("c"), std::nullopt});
  REQUIRE(world.phase(number) == Phase::ended);
  CHECK(world.dispute(number).verdict->outcome == Outcome::inconclusive);
  CHECK(wealth.gain(world.alice) == -5 * kCc / 2);
  CHECK(wealth.gain(world.wendy) == -5 * kCc / 2);
  CHECK(wealth.gain(first[2]) == 0);
  CHECK(wealth.gain(second[3]) == 0);
  CHECK(wealth.gain(second[0]) == kCc);
  CHECK(wealth.burned() == 0);

  // It does not use the receipt up, but the challenger had its try.
  CHECK(world.run(world.alice, world.challenge_of(receipt)) == "already_tried");
  task::Mandate mandate{std::nullopt, world.alice, world.bob, TimestampMs(~std::uint64_t{0})};
  Challenge again = world.challenge_of(receipt);
  again.mandate = task::sign_mandate(key_of("alice"), world.chain.block.genesis_hash, mandate);
  CHECK(world.run(world.bob, again) == "applied");
}

TEST_CASE("disputes: all three silent bring four others, and then nobody pays") {
  World world;
  const Wealth wealth(world.chain);
  const DisputeNumber number = world.open("wrong");
  world.draw();
  world.vote(number, {std::nullopt, std::nullopt, std::nullopt});
  REQUIRE(world.dispute(number).round == Round::second);
  world.vote(number, {std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  REQUIRE(world.phase(number) == Phase::ended);
  CHECK(world.dispute(number).verdict->outcome == Outcome::inconclusive);
  for (const auto& [account, before] : wealth.before) CHECK(wealth.gain(account) == 0);
  CHECK(wealth.burned() == 0);
}

TEST_CASE("disputes: who does not accept is replaced by the next of the draw, unfined") {
  World world;
  const Wealth wealth(world.chain);
  const DisputeNumber number = world.open("wrong");
  world.draw();
  const auto drawn = world.seated(number);
  const Pool pool = *find_pool(world.chain.state(), number);
  const auto order =
      draw_order(pool.items(), seed_of({world.dispute(number).draw.source->beacon, number}), 12);
  CHECK(std::equal(drawn.begin(), drawn.end(), order.begin()));
  REQUIRE(world.accept(number, drawn[0]) == "applied");
  REQUIRE(world.commit(number, drawn[0], vote_for("right")) == "applied");
  REQUIRE(world.accept(number, drawn[1]) == "applied");
  world.chain.pass(DurationMs(10'200), DurationMs(100));
  const auto now = world.seated(number);
  CHECK(now[2] == order[3]);
  CHECK(world.accept(number, drawn[2]) == "not_drawn");
  // The one called last has the whole window, and with it everybody.
  CHECK(world.commit(number, drawn[1], vote_for("right")) == "applied");
  REQUIRE(world.accept(number, now[2]) == "applied");
  REQUIRE(world.commit(number, now[2], vote_for("right")) == "applied");
  world.chain.pass(DurationMs(200), DurationMs(100));
  CHECK(world.phase(number) == Phase::reveal);
  CHECK(wealth.gain(drawn[2]) == 0);
  CHECK(seats_match_draw(number, world.dispute(number), pool.items()));
}

TEST_CASE("disputes: when nobody accepts, the draw runs out and the dispute ends by itself") {
  WorldOptions options;
  options.verifiers = 8;
  World world(options);
  const DisputeNumber number = world.open("wrong");
  world.chain.pass(DurationMs(200'000));
  REQUIRE(world.phase(number) == Phase::ended);
  CHECK(world.dispute(number).verdict->outcome == Outcome::inconclusive);
  CHECK(world.chain.worker(world.wendy).frozen == Balance{});
}

// --- Appeals ---

WorldOptions large() {
  WorldOptions options;
  options.verifiers = 30;
  return options;
}

World::Votes panel(std::size_t right, std::size_t wrong) {
  World::Votes votes(right, vote_for("right"));
  votes.insert(votes.end(), wrong, vote_for("wrong"));
  return votes;
}

TEST_CASE("disputes: an appeal that is lost costs its double bond's part too") {
  World world(large());
  const Wealth wealth(world.chain, 30);
  const DisputeNumber number = world.open("wrong");
  world.draw();
  world.vote(number, {vote_for("right"), vote_for("right"), vote_for("right")});
  CHECK(world.run(world.alice, AppealCall{number}) == "not_the_loser");
  CHECK(world.run(world.eve, AppealCall{number}) == "not_the_loser");
  REQUIRE(world.run(world.wendy, AppealCall{number}) == "applied");
  CHECK(world.chain.worker(world.wendy).frozen == cc(18 + 36));
  world.draw();
  REQUIRE(world.dispute(number).round == Round::appeal);
  const auto judges = world.seated(number);
  REQUIRE(judges.size() == 21);
  world.vote(number, panel(19, 2));
  REQUIRE(world.phase(number) == Phase::ended);
  // 54 CC bound: 22 votes paid; 21 CC less than the awards of 30, and the burn of 3
  CHECK(wealth.gain(world.alice) == 30 * kCc);
  CHECK(wealth.gain(world.wendy) == -54 * kCc);
  CHECK(wealth.gain(judges[0]) == kCc);
  CHECK(wealth.gain(judges[20]) == -5 * kCc);
  CHECK(wealth.burned() == (2 + 2 * 5) * kCc);
}

TEST_CASE("disputes: an appeal may overturn a verdict, and who had decided it loses 10 CC") {
  World world(large());
  const Wealth wealth(world.chain, 30);
  const DisputeNumber number = world.open("right");
  world.draw();
  const auto first = world.seated(number);
  world.vote(number, {vote_for("wrong"), vote_for("wrong"), vote_for("right")});
  REQUIRE(world.dispute(number).verdict->outcome == Outcome::rejected);
  REQUIRE(world.run(world.wendy, AppealCall{number}) == "applied");
  world.draw();
  const auto judges = world.seated(number);
  world.vote(number, panel(20, 1));
  REQUIRE(world.phase(number) == Phase::ended);
  CHECK(world.dispute(number).verdict->outcome == Outcome::accepted);
  CHECK(wealth.gain(first[0]) == -10 * kCc);
  CHECK(wealth.gain(first[1]) == -10 * kCc);
  CHECK(wealth.gain(first[2]) == kCc);
  CHECK(wealth.gain(judges[0]) == kCc);
  CHECK(wealth.gain(judges[20]) == -5 * kCc);
  // 21 votes: 18 CC of Alice's bond and 3 of the fines; the award of 10 from the fines
  CHECK(wealth.gain(world.alice) == -18 * kCc);
  CHECK(wealth.gain(world.wendy) == 10 * kCc);
  CHECK(wealth.from_pool() == 0);
  CHECK(wealth.burned() == (20 - 3 - 10 + 5) * kCc);
  CHECK_FALSE(world.chain.worker(world.wendy).is_banned(world.chain.block.time));
}

TEST_CASE("disputes: a panel without majority leaves the verdict, and is paid by the appellant") {
  World world(large());
  const Wealth wealth(world.chain, 30);
  const DisputeNumber number = world.open("right");
  world.draw();
  world.vote(number, {vote_for("right"), vote_for("right"), vote_for("right")});
  REQUIRE(world.run(world.alice, AppealCall{number}) == "applied");
  world.draw();
  const auto judges = world.seated(number);
  World::Votes votes = panel(10, 10);
  votes.push_back(std::nullopt);
  world.vote(number, votes);
  REQUIRE(world.phase(number) == Phase::ended);
  CHECK(world.dispute(number).verdict->outcome == Outcome::accepted);
  for (std::size_t i = 0; i < 20; ++i) CHECK(wealth.gain(judges[i]) == kCc);
  CHECK(wealth.gain(judges[20]) == 0);
  CHECK(wealth.gain(world.alice) == -(23 + 10 + 1) * kCc);
  CHECK(wealth.gain(world.wendy) == 10 * kCc);
}

TEST_CASE("disputes: an appeal calls the whole rest of a small pool, but no smaller panel") {
  WorldOptions options;
  options.verifiers = 8;
  World world(options);
  const DisputeNumber number = world.open("right");
  world.draw();
  world.vote(number, {vote_for("right"), vote_for("right"), vote_for("right")});
  REQUIRE(world.run(world.alice, AppealCall{number}) == "applied");
  world.draw();
  CHECK(world.seated(number).size() == 5);

  World other(options);
  const DisputeNumber split = other.open("right");
  other.draw();
  other.vote(split, {vote_for("right"), vote_for("a"), vote_for("b")});
  other.vote(split, {vote_for("right"), vote_for("right"), vote_for("right"), vote_for("b")});
  REQUIRE(other.phase(split) == Phase::decided);
  CHECK(other.run(other.alice, AppealCall{split}) == "panel_too_small");
}

TEST_CASE("disputes: an appeal comes in time or not at all, and needs its whole bond") {
  World world(large());
  const DisputeNumber number = world.open("right");
  world.draw();
  world.vote(number, {vote_for("right"), vote_for("right"), vote_for("right")});
  const TimestampMs end = world.dispute(number).clock.deadline;
  world.chain.block.time = end;  // the first moment that is too late
  CHECK(world.run(world.alice, AppealCall{number}) == "deadline_passed");
  world.end();
  CHECK(world.run(world.alice, AppealCall{number}) == "wrong_phase");

  // Four bonds of 18 CC leave 28 of Wendy's 100.
  const DisputeNumber wrong = world.open("wrong");
  for (const char* said : {"b", "c", "d"}) world.open(said);
  world.draw();
  world.vote(wrong, {vote_for("right"), vote_for("right"), vote_for("right")});
  CHECK(world.run(world.wendy, AppealCall{wrong}) == "stake_too_small");
  REQUIRE(text_of(world.chain.call(world.wendy, workers::TopUp{{cc(8)}})) == "applied");
  CHECK(world.run(world.wendy, AppealCall{wrong}) == "applied");
}

}  // namespace
}  // namespace tally::disputes
