// The start-up guard, at the whole voter machine.
#include <catch2/catch.hpp>

#include "node/consensus/end_epoch_test.hpp"

namespace tally::consensus {
namespace {

using sim::Bench;

constexpr VoteKind kNotarize = VoteKind::notarize;
constexpr VoteKind kNullify = VoteKind::nullify;
constexpr std::uint64_t kLongEnough = 60'000;

Hint at_view(std::uint64_t view, std::uint64_t floor = 0) {
  return {Epoch(1), View(view), View(floor)};
}

void hear_all(Bench& bench, const Hint& hint) {
  for (const std::size_t other : bench.others()) bench.hear_hint(other, hint);
}

std::uint64_t listening_ms(Bench& bench) {
  return listening_time(bench.engine().parameters()).value;
}

// A node that voted before and was started again.
std::unique_ptr<Bench> restarted() {
  auto bench = std::make_unique<Bench>(sim::BenchOptions{60, {}, true});
  bench->start();
  hear_all(*bench, at_view(1));
  bench->wait(kLongEnough);
  REQUIRE(bench->sent_any_vote(kNullify, View(1)));
  bench->restart();
  bench->forget();
  return bench;
}

Silence silence(const Bench& bench) {
  return bench.simplex().standing().silence;
}

}  // namespace

TEST_CASE("a new validator of a new chain need not listen, and one of an old chain must") {
  Bench fresh({60, {}, true});
  fresh.start();
  CHECK(silence(fresh) == Silence::listening);
  hear_all(fresh, at_view(1));
  CHECK(silence(fresh) == Silence::none);

  Bench wiped({60, {}, true});  // its data folder is gone
  wiped.start();
  hear_all(wiped, at_view(7));
  CHECK(silence(wiped) == Silence::listening);
  wiped.wait(listening_ms(wiped) - 100);
  CHECK(silence(wiped) == Silence::listening);
  wiped.wait(200);
  CHECK(silence(wiped) == Silence::none);
}

TEST_CASE("a validator that starts again signs nothing before it has listened to a quorum") {
  const auto made = restarted();
  Bench& bench = *made;
  bench.wait(kLongEnough);
  CHECK(bench.frames().empty());  // nobody has said where it stands
  bench.hear_hint(bench.others()[0], at_view(1));
  bench.wait(kLongEnough);
  CHECK(silence(bench) == Silence::listening);  // two of four are no quorum
  bench.hear_hint(bench.others()[1], at_view(1));
  bench.wait(kLongEnough);
  CHECK(silence(bench) == Silence::none);
  CHECK(bench.sent_any_vote(kNullify, View(1)));  // what it signed before is said again
}

// Shown to fail where may_speak() does not ask the guard.
TEST_CASE("a listening validator casts no new vote either, whatever is proposed") {
  Bench bench({60, {}, true});
  bench.start();
  hear_all(bench, at_view(7));
  bench.receive(bench.leader(View(1)), bench.propose(View(1), bench.root()));
  bench.wait(listening_ms(bench) - 100);
  REQUIRE(silence(bench) == Silence::listening);
  CHECK_FALSE(bench.sent_any_vote(kNotarize, View(1)));
  CHECK_FALSE(bench.sent_any_vote(kNullify, View(1)));
}

TEST_CASE("at genesis too: what it has signed once is reason enough to listen") {
  const auto made = restarted();
  hear_all(*made, at_view(1));
  CHECK(silence(*made) == Silence::listening);
  made->wait(listening_ms(*made) + 100);
  CHECK(silence(*made) == Silence::none);
}

TEST_CASE("the guard stays on from epoch to epoch, and what shut it for good does too") {
  Bench bench({2, {}, true});
  bench.start();
  hear_all(bench, at_view(1));
  REQUIRE(silence(bench) == Silence::none);
  const auto foreign = [&] {
    return VoteMessage{bench.vote(bench.self(), kNotarize, View(5), Hash{{1}})};
  };
  SECTION("heard in the next epoch") {
    end_first_epoch(bench);
    CHECK(silence(bench) == Silence::none);
    bench.receive(bench.others()[0], foreign());
  }
  SECTION("heard in this one") {
    bench.receive(bench.others()[0], foreign());
    end_first_epoch(bench);
  }
  CHECK(silence(bench) == Silence::another_copy);
  CHECK(bench.simplex().guard().mode() == KeyGuard::Mode::shut);
}

TEST_CASE("a validator that is behind what a quorum calls final does not sign there") {
  const auto made = restarted();
  Bench& bench = *made;
  hear_all(bench, at_view(9, 8));
  bench.wait(kLongEnough);
  CHECK(silence(bench) == Silence::listening);
  CHECK_FALSE(bench.sent_any_vote(kNullify, View(1)));
}

TEST_CASE("a vote of its own key that it does not know shuts a listening validator") {
  const auto made = restarted();
  Bench& bench = *made;
  const std::size_t self = bench.self();
  SECTION("shown by a peer that remembers it") {
    bench.receive(bench.others()[0], VoteMessage{bench.vote(self, kNullify, View(2))});
  }
  SECTION("beside one that it does know") {
    bench.receive(bench.others()[0], VoteMessage{bench.vote(self, kNullify, View(1))});
    CHECK(silence(bench) == Silence::listening);
    bench.receive(bench.others()[0], VoteMessage{bench.vote(self, kNotarize, View(1), Hash{{1}})});
  }
  SECTION("in a certificate") {
    std::vector<Vote> votes;
    for (const std::size_t signer : {self, bench.others()[0], bench.others()[1]}) {
      votes.push_back(bench.vote(signer, kNullify, View(2)));
    }
    bench.receive(bench.others()[2],
                  CertificateMessage{make_certificate(votes, bench.engine().current_set())});
  }
  SECTION("by a link that proves its key") {
    bench.meet_copy_of(bench.self());
  }
  CHECK(silence(bench) == Silence::another_copy);
  hear_all(bench, at_view(1));
  bench.wait(kLongEnough);
  CHECK(silence(bench) == Silence::another_copy);
  CHECK_FALSE(bench.sent_any_vote(kNullify, View(1)));
}

TEST_CASE("a bad signature under its own name shuts nothing and ends the link") {
  const auto made = restarted();
  Bench& bench = *made;
  Vote forged = bench.vote(bench.others()[0], kNullify, View(2));
  forged.signer = ValidatorIndex(static_cast<std::uint16_t>(bench.self()));
  bench.receive(bench.others()[0], VoteMessage{forged});
  CHECK(silence(bench) == Silence::listening);
  CHECK(bench.disconnects() == 1);
}

TEST_CASE("a voting validator stops for good when its key has signed elsewhere") {
  const auto made = restarted();
  Bench& bench = *made;
  hear_all(bench, at_view(1));
  bench.wait(listening_ms(bench) + 100);
  REQUIRE(silence(bench) == Silence::none);
  bench.meet_copy_of(bench.self());  // worth an alarm: the newcomer is the one to stop
  CHECK(silence(bench) == Silence::none);
  CHECK(bench.alarms().size() == 1);
  bench.receive(bench.others()[0],
                VoteMessage{bench.vote(bench.self(), kNotarize, View(3), Hash{{1}})});
  CHECK(silence(bench) == Silence::another_copy);
  CHECK(bench.simplex().guard().carried().mode == KeyGuard::Mode::shut);
  bench.forget();
  bench.wait(kLongEnough);
  CHECK_FALSE(bench.sent_any_vote(kNullify, bench.current()));

  // The same process on another state, as after a snapshot. Shown to fail where it listens again.
  bench.restart(bench.simplex().guard().reason());
  hear_all(bench, at_view(1));
  bench.wait(kLongEnough);
  CHECK(silence(bench) == Silence::another_copy);
  CHECK_FALSE(bench.simplex().guard().reason().empty());
}

TEST_CASE("a validator reminds another of what it holds of that one") {
  Bench bench({60, {}, true});
  bench.start();
  const std::size_t other = bench.others()[0];
  const Vote vote = bench.vote(other, kNullify, View(1));
  bench.receive(other, VoteMessage{vote});
  bench.forget();
  bench.hear_hint(other, {Epoch(0), View(0), View(0)});  // a new link says nothing yet
  CHECK(bench.frames().empty());
  bench.hear_hint(other, at_view(1));
  const auto& frames = bench.frames();
  REQUIRE(frames.size() == 1);
  const auto* said = std::get_if<VoteMessage>(&frames[0].envelope.message);
  REQUIRE(said != nullptr);
  CHECK(said->vote == vote);
}

TEST_CASE("what one link of a validator votes is passed on to another link of its key, once") {
  Bench bench({60, {}, true});
  bench.start();
  const std::size_t other = bench.others()[0];
  bench.meet_copy_of(other);
  bench.forget();
  const Vote vote = bench.vote(other, kNullify, View(1));
  for (int i = 0; i < 2; ++i) bench.receive(other, VoteMessage{vote});
  bench.receive(bench.others()[1], VoteMessage{bench.vote(bench.others()[1], kNullify, View(1))});
  std::size_t passed_on = 0;
  for (const auto& [to, envelope] : bench.frames()) {
    const auto* said = std::get_if<VoteMessage>(&envelope.message);
    if (said == nullptr || said->vote.signer != vote.signer) continue;  // its own go to all
    ++passed_on;
    CHECK(to == std::vector{Bench::copy()});
    CHECK(said->vote == vote);
  }
  CHECK(passed_on == 1);
}

// One that is slower than a quorum votes when the certificate is there, or the block is final.
// Shown to fail where only votes that count are passed on.
TEST_CASE("what is voted too late to count is passed on to another link of its key too") {
  Bench bench({60, {}, true});
  bench.start();
  const std::size_t other = bench.others()[0];
  bench.meet_copy_of(other);
  bench.receive(bench.others()[1], CertificateMessage{bench.certificate(kNullify, View(1))});
  const auto passed_on = [&](const Vote& vote) {
    bench.forget();
    bench.receive(other, VoteMessage{vote});
    return std::count_if(bench.frames().begin(), bench.frames().end(), [&](const auto& frame) {
      const auto* said = std::get_if<VoteMessage>(&frame.envelope.message);
      return said != nullptr && said->vote == vote && frame.to == std::vector{Bench::copy()};
    });
  };
  const Vote late = bench.vote(other, kNullify, View(1));
  CHECK(passed_on(late) == 1);
  CHECK(passed_on(late) == 0);
  CHECK(passed_on(bench.vote(other, kNullify, View(2))) == 1);
  CHECK(passed_on(bench.vote(other, kNotarize, View(1), Hash{{1}})) == 0);  // an older one
}

// It cannot tell another's votes from its own. Shown to fail where it opens all the same.
TEST_CASE("a validator that has lost its votes still listens when the next epoch comes") {
  const auto made = restarted();
  Bench& bench = *made;
  hear_all(bench, at_view(1));
  bench.wait(kLongEnough);
  bench.receive(bench.others()[0], CertificateMessage{bench.certificate(kNullify, View(1))});
  bench.wait(kLongEnough);
  REQUIRE(bench.sent_any_vote(kNullify, View(2)));
  bench.disk().flip_log_bit(100);  // with more behind it
  bench.restart();
  hear_all(bench, at_view(1));
  bench.wait(kLongEnough);
  REQUIRE(silence(bench) == Silence::log_damaged);
  CHECK(bench.simplex().guard().carried().mode == KeyGuard::Mode::listening);
}

// The database may be older than the votes that were lost with the files. Shown to fail where the
// first epoch's end is enough.
TEST_CASE("a validator without its votes sits out an epoch in which it was where the chain is") {
  Bench bench({2, {}, true});
  bench.start();
  bench.disk().vote_log_file() = {};
  bench.disk().high_water_file() = {};
  bench.restart();
  REQUIRE(silence(bench) == Silence::votes_missing);
  SECTION("not one that it only passed through") {
    end_first_epoch(bench);
    CHECK(silence(bench) == Silence::votes_missing);
    bench.restart();
    CHECK(silence(bench) == Silence::votes_missing);
  }
  SECTION("and one is enough") {
    hear_all(bench, at_view(1));
    bench.wait(kLongEnough);
    CHECK(silence(bench) == Silence::votes_missing);
    end_first_epoch(bench);
    CHECK(silence(bench) == Silence::listening);
    bench.restart();
    CHECK(silence(bench) == Silence::listening);
  }
  CHECK_FALSE(bench.sent_any_vote(kNullify, View(1)));
}

// Nobody knows whom to remind while its links prove nothing. Shown to fail where that time counts.
TEST_CASE("a validator whose signer is away does not listen, and begins anew when it is back") {
  const auto made = restarted();
  Bench& bench = *made;
  bench.lose_signer();
  hear_all(bench, at_view(1));
  bench.wait(kLongEnough);
  CHECK(bench.simplex().guard().mode() == KeyGuard::Mode::listening);
  CHECK(silence(bench) == Silence::signer_away);
  bench.find_signer();
  CHECK(silence(bench) == Silence::listening);
  bench.wait(listening_ms(bench) - 100);
  CHECK(silence(bench) == Silence::listening);
  bench.wait(200);
  CHECK(silence(bench) == Silence::none);
}

// What it hears of late is final already. Shown to fail where own votes are judged above the newest
// final block only.
TEST_CASE("a vote of its own key in a view that became final while it listened shuts it") {
  const auto made = restarted();
  Bench& bench = *made;
  hear_all(bench, at_view(1));
  const Proposal proposal = bench.propose(View(2), bench.root());
  bench.receive(bench.others()[1], CertificateMessage{bench.certificate(kNullify, View(1))});
  bench.receive(bench.leader(View(2)), proposal);
  const Hash block = bench.hash_of(proposal);
  bench.receive_votes(VoteKind::notarize, View(2), block, 3);
  bench.receive_votes(VoteKind::finalize, View(2), block, 3);
  REQUIRE(bench.finalized().size() == 1);
  REQUIRE(silence(bench) == Silence::listening);
  const std::size_t self = bench.self();
  SECTION("but not by what it has signed itself") {
    bench.receive(bench.others()[0], VoteMessage{bench.vote(self, kNullify, View(1))});
    CHECK(silence(bench) == Silence::listening);
  }
  SECTION("by what another has") {
    bench.receive(bench.others()[0],
                  VoteMessage{bench.vote(self, VoteKind::finalize, View(2), block)});
    CHECK(silence(bench) == Silence::another_copy);
  }
}

// Nobody votes between two blocks of a chain without transactions.
TEST_CASE("a validator listens for longer than an idle chain is silent") {
  const auto made = restarted();
  hear_all(*made, at_view(1));
  made->wait(made->engine().parameters().idle_interval.value + 1);
  CHECK(silence(*made) == Silence::listening);
}

TEST_CASE("a guard that shut while listening listens again in the next epoch") {
  KeyGuard guard({KeyGuard::Mode::listening, false, {}}, {DurationMs(100)}, Instant(0));
  guard.heard_foreign("something");
  CHECK(guard.mode() == KeyGuard::Mode::shut_epoch);
  CHECK(guard.carried().mode == KeyGuard::Mode::listening);
}

}  // namespace tally::consensus
