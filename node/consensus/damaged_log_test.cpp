// The whole voter machine on a vote log that was truncated or flipped at every byte: it votes as
// "Never" allows beside everything that it sent before, or is an observer and says so.
#include <catch2/catch.hpp>

#include "node/consensus/end_epoch_test.hpp"

namespace tally::consensus {
namespace {

using sim::Bench;

constexpr VoteKind kNotarize = VoteKind::notarize;
constexpr VoteKind kNullify = VoteKind::nullify;
constexpr VoteKind kFinalize = VoteKind::finalize;

// "Never", written down anew.
bool forbidden_together(const Statement& a, const Statement& b) {
  if (a.view != b.view || a.epoch != b.epoch) return false;
  if (a.kind == b.kind) return a.hash != b.hash;
  return (a.kind == kNullify && b.kind == kFinalize) || (a.kind == kFinalize && b.kind == kNullify);
}

std::vector<Statement> sent_by(const Bench& bench) {
  std::vector<Statement> out;
  for (const auto& frame : bench.frames()) {
    if (const auto* vote = std::get_if<VoteMessage>(&frame.envelope.message)) {
      out.push_back(vote->vote.statement);
    } else if (const auto* proposal = std::get_if<Proposal>(&frame.envelope.message)) {
      out.push_back(proposal->notarize.statement);
    }
  }
  return out;
}

// Votes of every kind in views 1 to 4, none of them final.
struct Recorded {
  Bench bench;
  std::vector<Statement> sent;
  store::SimFileState log;
  store::SimFileState high_water;
  Proposal other_third;  // the rivals of what the node notarized
  Proposal other_fourth;

  Recorded() {
    bench.start();
    const Proposal first = bench.propose(View(1), bench.root());
    bench.receive(bench.leader(View(1)), first);
    const Hash one = bench.hash_of(first);
    bench.receive(bench.others()[0],
                  CertificateMessage{bench.certificate(kNotarize, View(1), one)});
    bench.wait(4'000);  // Nullify of view 2
    bench.receive(bench.others()[0], CertificateMessage{bench.certificate(kNullify, View(2))});
    const Proposal third = bench.propose(View(3), one);
    other_third = bench.propose(View(3), one, {5, 0, true});
    bench.receive(bench.leader(View(3)), third);
    const Hash three = bench.hash_of(third);
    bench.receive(bench.others()[0],
                  CertificateMessage{bench.certificate(kNotarize, View(3), three)});
    sent = sent_by(bench);
    log = bench.disk().vote_log_file();
    high_water = bench.disk().high_water_file();
    REQUIRE(bench.sent_vote(kFinalize, View(1), one));
    REQUIRE(bench.sent_any_vote(kNullify, View(2)));
    REQUIRE(bench.sent_vote(kFinalize, View(3), three));
    REQUIRE(bench.current() == View(4));
  }

  // Starts on this log and is tempted to contradict each of its votes.
  void judge(Bytes damaged) {
    bench.disk().vote_log_file() = {damaged, damaged, false};
    bench.disk().high_water_file() = high_water;
    bench.restart();
    bench.forget();
    bench.receive(bench.leader(View(3)), other_third);
    bench.wait(20'000);
    for (const Statement& now : sent_by(bench)) {
      for (const Statement& before : sent) {
        INFO("view " << now.view.value);
        REQUIRE_FALSE(forbidden_together(before, now));
      }
    }
  }
  Silence silence() const { return bench.simplex().standing().silence; }
};

}  // namespace

TEST_CASE("a vote log cut at every byte: nothing is signed against what was sent") {
  Recorded recorded;
  const Bytes whole = *recorded.log.live;
  REQUIRE(whole.size() > 500);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO("cut to " << size << " of " << whole.size());
    recorded.judge(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    CHECK(recorded.silence() == Silence::none);
  }
}

TEST_CASE("a vote log with any byte flipped: nothing against what was sent, damage is said") {
  Recorded recorded;
  const Bytes whole = *recorded.log.live;
  std::size_t observers = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    INFO("flipped at " << at << " of " << whole.size());
    Bytes damaged = whole;
    damaged[at] ^= 0x04;
    recorded.judge(std::move(damaged));
    const bool observer = recorded.silence() == Silence::log_damaged;
    CHECK((observer || recorded.silence() == Silence::none));
    observers += observer ? 1 : 0;
  }
  // All but the last record, whose damage looks like a torn end.
  CHECK(observers > whole.size() / 2);
}

// Shown to fail where every vote of the high-water file has to be in the log.
TEST_CASE("a log that was rewritten since the last vote has lost nothing") {
  Recorded recorded;
  Bench& bench = recorded.bench;
  const LimitsRecord limits{Epoch(1), View(9)};
  bench.disk().vote_log()->rewrite(
      {{static_cast<std::uint8_t>(RecordKind::limits), encode(limits)}});
  const auto rewritten = bench.disk().vote_log_file().live;
  bench.restart();
  CHECK(bench.alarms().empty());
  CHECK(recorded.silence() == Silence::none);
  CHECK(bench.simplex().own_votes().limits().none_below == View(9));
  CHECK(*bench.disk().vote_log_file().live == *rewritten);
}

// Of the way there nothing is signed, and at 4,096 records the log would be rewritten without those
// votes. Shown to fail where only the high-water file says of what epoch the votes are.
TEST_CASE("a vote log of a later epoch than the database's binds without the high-water file too") {
  Bench bench({2, {}, false});
  bench.start();
  end_first_epoch(bench);
  bench.wait(20'000);
  REQUIRE(bench.simplex().own_votes().in(View(1)).nullified);
  bench.disk().lose_database();
  bench.disk().high_water_file() = {};
  bench.restart();
  REQUIRE(bench.engine().epoch() == Epoch(1));
  CHECK(bench.simplex().standing().silence == Silence::database_behind);
  bench.forget();
  end_first_epoch(bench);
  CHECK_FALSE(bench.sent_any_vote(kFinalize, View(1)));
  CHECK(bench.simplex().standing().silence == Silence::none);
  CHECK(bench.simplex().own_votes().in(View(1)).nullified);
}

}  // namespace tally::consensus
