// The party: every stage with every event, the five rules, and two of them talking.
#include "client-sdk/channel/party.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channel {
namespace {

KeyPair key(std::string_view name) {
  return *KeyPair::from_secret(KeyScheme::ed25519, Secret(blake2_256(as_bytes(name)).bytes));
}
const KeyPair kA = key("alice");
const KeyPair kB = key("bob");

Balance cc(std::uint64_t credits) {
  return Balance(credits * kCredit.micro);
}
Hash receipt(std::uint64_t n) {
  return blake2_256(encode(n));
}

Terms terms_of(Side side) {
  ChannelId id;
  id.bytes.fill(7);
  return {id, kA.account(), kB.account(), cc(100), cc(0), DurationMs(10'000), side};
}
OpenedOnChain opened() {
  const Terms t = terms_of(Side::a);
  return {t.opener, t.counterparty, t.deposit_a, t.deposit_b, t.challenge_period};
}

template <class T>
std::vector<T> all(const Actions& actions) {
  std::vector<T> found;
  for (const Action& action : actions) {
    if (const T* a = std::get_if<T>(&action)) found.push_back(*a);
  }
  return found;
}

Actions must(Party& party, const Event& event) {
  auto actions = party.step(event);
  if (!actions.ok()) FAIL("refused: " << enumerator_name(actions.error()));
  return *actions;
}
std::string refused(Party& party, const Event& event) {
  const Record before = party.record();
  const auto actions = party.step(event);
  CHECK((actions.ok() || party.record() == before));
  return actions.ok() ? "done" : std::string(enumerator_name(actions.error()));
}

// Two parties on a perfect line.
struct Two {
  Policy policy;
  Party a{terms_of(Side::a), kA, policy};
  Party b{terms_of(Side::b), kB, policy};
  std::deque<Message> to_a;
  std::deque<Message> to_b;
  std::vector<channels::Call> submitted_a;
  std::vector<channels::Call> submitted_b;
  std::vector<Notice> told_a;
  std::vector<Notice> told_b;
  channels::PerSide<ChannelVersion> written;

  Two() {
    must(a, opened());
    must(b, opened());
  }
  Party& party(Side side) { return side == Side::a ? a : b; }
  void take(Side from, const Actions& actions) {
    // Persist is a barrier: nothing signed may stand before the record that knows of it.
    ChannelVersion& on_disk = channels::of(from, written);
    for (const Action& action : actions) {
      if (const auto* persist = std::get_if<Persist>(&action)) {
        on_disk = persist->record.highest_signed;
      }
      if (const auto* send = std::get_if<Send>(&action)) {
        if (const auto* offer = std::get_if<Offer>(&send->message)) {
          CHECK(offer->state.version <= on_disk);
        }
        (from == Side::a ? to_b : to_a).push_back(send->message);
      }
      if (const auto* submit = std::get_if<Submit>(&action)) {
        (from == Side::a ? submitted_a : submitted_b).push_back(submit->call);
      }
      if (const auto* tell = std::get_if<Tell>(&action)) {
        (from == Side::a ? told_a : told_b).push_back(tell->notice);
      }
    }
  }
  void run(Side side, const Event& event) { take(side, must(party(side), event)); }
  // Delivers what is under way, a whole batch a turn, until the line is quiet.
  void talk() {
    while (!to_a.empty() || !to_b.empty()) {
      for (const Side side : {Side::a, Side::b}) {
        auto& queue = side == Side::a ? to_a : to_b;
        while (!queue.empty()) {
          const Message message = queue.front();
          queue.pop_front();
          const auto actions =
              std::visit([&](const auto& m) { return party(side).step(Event(m)); }, message);
          if (actions.ok()) take(side, *actions);
        }
        run(side, TurnEnded{});
      }
    }
  }
  bool told(Side side, Notice notice) const {
    const auto& list = side == Side::a ? told_a : told_b;
    return std::find(list.begin(), list.end(), notice) != list.end();
  }
};

// A party in each stage.
Party in_stage(Stage stage) {
  Two two;
  switch (stage) {
    case Stage::unopened:
      return Party(terms_of(Side::a), kA, {});
    case Stage::ready:
      break;
    case Stage::splicing:
      must(two.a, SpliceTogether{BalanceDelta(1), BalanceDelta(0), BlockNumber(9)});
      break;
    case Stage::closing:
      must(two.a, CloseTogether{});
      break;
    case Stage::ending:
      must(two.a, ChallengedOnChain{ChannelVersion(0)});
      break;
    case Stage::restored:
      return Party::from_backup(two.a.record(), kA, {});
    case Stage::closed:
      must(two.a, ClosedOnChain{ChannelVersion(0)});
      break;
  }
  return two.a;
}

// Events that are good in themselves, as far as one event can be.
std::vector<Event> sample_events() {
  const ChannelId id = terms_of(Side::a).channel_id;
  ChannelState even{id, ChannelVersion(2), cc(100), cc(0), Hash{}, 0, ChannelVersion(0)};
  const MultiSignature by_b = kB.sign(channels::update_bytes(even));
  const CoSignedState both{even, kA.sign(channels::update_bytes(even)), by_b};
  const SpliceBody splice{even, BalanceDelta(0), BalanceDelta(0), BlockNumber(9)};
  const CloseOffer close{even, kB.sign(channels::close_bytes(even))};
  return {Offer{even, by_b, ChannelVersion(0), {}},
          Countersigned{both},
          close,
          CloseAccepted{both},
          SpliceOffer{splice, kB.sign(channels::splice_bytes(splice))},
          SpliceAccepted{splice, kB.sign(channels::splice_bytes(splice))},
          Hello{id, std::nullopt, true},
          CloseWanted{id},
          opened(),
          ChallengedOnChain{ChannelVersion(0)},
          SplicedOnChain{ChannelVersion(1), cc(100), cc(0)},
          ClosedOnChain{ChannelVersion(0)},
          FinalBlock{BlockNumber(3)},
          Pay{cc(1), {}},
          Issued{cc(1)},
          CloseTogether{},
          AskClose{},
          AcceptClose{},
          SpliceTogether{BalanceDelta(1), BalanceDelta(0), BlockNumber(9)},
          AcceptSplice{},
          End{},
          Learn{both},
          Connected{},
          TurnEnded{},
          TimerFired{TimerKind::retry}};
}

constexpr std::array<Stage, kStages> kAllStages{Stage::unopened, Stage::ready,  Stage::splicing,
                                                Stage::closing,  Stage::ending, Stage::restored,
                                                Stage::closed};

}  // namespace

TEST_CASE("every stage with every event does what the table says") {
  const std::vector<Event> events = sample_events();
  REQUIRE(events.size() == kEvents);
  for (const Stage stage : kAllStages) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      REQUIRE(events[i].index() == i);
      INFO("stage " << enumerator_name(stage) << ", event " << i);
      Party party = in_stage(stage);
      REQUIRE(party.record().stage == stage);
      const Cell cell = table(stage, i);
      const Record before = party.record();
      const auto actions = party.step(events[i]);
      if (!cell.admitted) {
        REQUIRE_FALSE(actions.ok());
        CHECK(actions.error() == Rejection::not_in_this_stage);
      } else {
        if (!actions.ok()) CHECK(actions.error() != Rejection::not_in_this_stage);
        if (actions.ok()) CHECK((cell.next >> static_cast<unsigned>(party.record().stage) & 1));
      }
      if (!actions.ok()) CHECK(party.record() == before);
      // What changed is written before anything else happens.
      if (actions.ok() && !(party.record() == before)) {
        const auto written = all<Persist>(*actions);
        REQUIRE_FALSE(written.empty());
        CHECK(written.back().record == party.record());
      }
    }
  }
}

TEST_CASE("nobody signs before the open is final and the record matches") {
  Party party(terms_of(Side::a), kA, {});
  CHECK(refused(party, Pay{cc(1), {}}) == "not_in_this_stage");
  OpenedOnChain other = opened();
  other.deposit_b = cc(1);
  CHECK(all<Tell>(must(party, other)).front().notice == Notice::record_differs);
  CHECK(refused(party, Pay{cc(1), {}}) == "not_in_this_stage");
  must(party, opened());
  CHECK(refused(party, Pay{cc(1), {}}) == "done");
}

TEST_CASE("a payment is offered, countersigned and known to both") {
  Two two;
  two.run(Side::a, Pay{cc(3), {receipt(1)}});
  two.talk();
  CHECK(two.a.record().newest == two.b.record().newest);
  CHECK(two.b.record().newest->state.balance_b == cc(3));
  CHECK(two.b.record().newest->state.receipts_root == merkle_root(std::array{receipt(1)}));
  CHECK_FALSE(two.a.record().offer);
  CHECK(two.told(Side::a, Notice::paid));
  CHECK(two.told(Side::b, Notice::received));
}

TEST_CASE("a payer runs ahead by the window, and one signature covers it all") {
  Two two;
  for (std::uint64_t i = 0; i < 64; ++i) two.run(Side::a, Pay{Balance(10'000), {receipt(i)}});
  CHECK(refused(two.a, Pay{Balance(10'000), {}}) == "window_full");
  REQUIRE(two.to_b.size() == 64);
  std::size_t answers = 0;
  while (!two.to_b.empty()) {
    two.take(Side::b, must(two.b, std::get<Offer>(two.to_b.front())));
    two.to_b.pop_front();
  }
  two.run(Side::b, TurnEnded{});
  answers = two.to_a.size();
  CHECK(answers == 1);
  two.talk();
  CHECK(two.a.record().newest->state.receipts_count == 64);
  CHECK(two.a.own_balance() == Balance(99'360'000));
  CHECK(refused(two.a, Pay{Balance(10'000), {}}) == "done");
}

// Fails when a prepayment is not counted against the receipt that it was for.
TEST_CASE("what is paid ahead is one task's price at most, and is used up by receipts") {
  Two two;
  two.run(Side::a, Pay{cc(10), {}, true});
  two.talk();
  CHECK(two.b.received() == cc(10));
  CHECK(two.a.record().prepaid == cc(10));
  // The task failed: the next one costs more, and only the difference is paid.
  two.run(Side::a, Pay{cc(12), {}, true});
  two.run(Side::a, Pay{cc(12), {}, true});
  two.talk();
  CHECK(two.b.received() == cc(12));
  two.run(Side::a, Pay{cc(12), {receipt(1)}});
  two.talk();
  CHECK(two.b.received() == cc(12));
  CHECK(two.a.record().prepaid == Balance());
  CHECK(two.a.record().receipts.count == 1);
  CHECK(two.b.record().receipts.root() == two.a.record().receipts.root());
  // What a receipt costs above what was paid ahead is paid with it.
  two.run(Side::a, Pay{cc(5), {}, true});
  two.run(Side::a, Pay{cc(8), {receipt(2)}});
  two.talk();
  CHECK(two.b.received() == cc(20));
  CHECK(two.a.record().prepaid == Balance());
  two.run(Side::b, Issued{cc(20)});
  CHECK(two.b.record().earned == cc(20));
}

TEST_CASE("payments that cross are both made") {
  Two two;
  two.run(Side::a, Pay{cc(50), {receipt(1)}});
  two.talk();
  two.run(Side::a, Pay{cc(5), {receipt(2)}});
  two.run(Side::b, Pay{cc(2), {}});
  two.talk();
  CHECK(two.a.record().newest == two.b.record().newest);
  CHECK(two.a.record().newest->state.balance_b == cc(53));
  CHECK(two.a.record().newest->state.receipts_count == 2);
  CHECK_FALSE(two.a.record().offer);
  CHECK_FALSE(two.b.record().offer);
}

TEST_CASE("neither side is starved when both pay without end") {
  Two two;
  two.run(Side::a, Pay{cc(50), {}});
  two.talk();
  for (int round = 0; round < 50; ++round) {
    two.run(Side::a, Pay{Balance(3'000), {}});
    two.run(Side::b, Pay{Balance(1'000), {}});
    two.talk();
  }
  CHECK(two.a.record().newest == two.b.record().newest);
  CHECK(two.a.own_balance() == Balance(49'900'000));
}

TEST_CASE("what a payee refuses") {
  Two two;
  two.run(Side::a, Pay{cc(10), {receipt(1)}});
  two.talk();
  const ChannelState base = two.b.record().newest->state;
  const auto offer = [&](auto&& change) {
    Offer out{base, {}, base.version, {}};
    out.state.version = ChannelVersion(base.version.value + 2);
    out.state.acked = base.version;
    change(out);
    out.signature = kA.sign(channels::update_bytes(out.state));
    return out;
  };
  const auto why = [&](auto&& change) { return refused(two.b, offer(change)); };
  CHECK(why([](Offer& o) { o.state.channel_id.bytes[0] ^= 1; }) == "wrong_channel");
  CHECK(why([](Offer& o) { o.state.version = ChannelVersion(2); }) == "wrong_proposer");
  CHECK(why([&](Offer& o) { o.state.version = base.version; }) == "stale_version");
  CHECK(why([](Offer& o) { o.state.version = ChannelVersion(1 + 4 * 64 + 1'024 + 2); }) ==
        "version_too_far");
  CHECK(why([](Offer& o) { o.state.version = ChannelVersion(1 + 2 * 130 + 2); }) ==
        "version_too_far");
  CHECK(why([](Offer& o) { o.state.balance_a = cc(91); }) == "wrong_sum");
  CHECK(why([](Offer& o) { o.state.balance_a = cc(91), o.state.balance_b = cc(9); }) ==
        "own_balance_falls");
  CHECK(why([](Offer& o) {
          o.state.balance_a = Balance(999'999), o.state.balance_b = Balance(99'000'001);
        }) == "payer_below_reserve");
  CHECK(why([](Offer& o) { o.state.acked = o.state.version; }) == "bad_acked");
  CHECK(why([](Offer& o) { o.state.acked = ChannelVersion(2); }) == "bad_acked");
  CHECK(why([](Offer& o) { o.base = ChannelVersion(0); }) == "unknown_base");
  CHECK(why([](Offer& o) { o.state.receipts_count = 9; }) == "wrong_receipts");
  Offer forged = offer([](Offer&) {});
  forged.signature = kB.sign(channels::update_bytes(forged.state));
  CHECK(refused(two.b, forged) == "bad_signature");
  CHECK(why([](Offer&) {}) == "done");
}

TEST_CASE("a close together is two signatures and one transaction") {
  Two two;
  two.run(Side::a, Pay{cc(10), {}});
  two.run(Side::a, CloseTogether{});
  two.talk();
  REQUIRE(two.submitted_a.size() == 1);
  const auto& close = std::get<channels::Close>(two.submitted_a.front()).close;
  CHECK(close.state.balance_b == cc(10));
  CHECK(refused(two.a, Pay{cc(1), {}}) == "not_in_this_stage");
  CHECK(refused(two.b, Pay{cc(1), {}}) == "not_in_this_stage");
  CHECK(two.submitted_b.empty());
  two.run(Side::b, TimerFired{TimerKind::close_wait});  // A did not submit it
  CHECK(two.submitted_b.size() == 1);
}

// Fails when a close is signed whatever its receipts are: a worker's tasks then do not count.
TEST_CASE("a close takes no receipt back that its signer holds") {
  Two two;
  for (std::uint64_t i = 0; i < 3; ++i) two.run(Side::a, Pay{cc(1), {receipt(i)}});
  two.talk();
  const ChannelState base = two.b.record().newest->state;
  REQUIRE(base.receipts_count == 3);
  const auto why = [&](auto&& change) {
    ChannelState state = base;
    state.version = ChannelVersion(base.version.value + 2);
    state.acked = base.version;
    change(state);
    return refused(two.b, CloseOffer{state, kA.sign(channels::close_bytes(state))});
  };
  SECTION("what both signed") {
    CHECK(why([](ChannelState& s) { s.receipts_count = 0, s.receipts_root = Hash{}; }) ==
          "wrong_receipts");
    CHECK(why([](ChannelState& s) { s.receipts_count = 2; }) == "wrong_receipts");
    CHECK(why([](ChannelState& s) { s.receipts_root = Hash{}; }) == "wrong_receipts");
    CHECK(why([](ChannelState&) {}) == "done");
  }
  SECTION("what its peer offered") {
    two.run(Side::a, Pay{cc(1), {receipt(3)}});
    must(two.b, std::get<Offer>(two.to_b.front()));
    CHECK(why([](ChannelState& s) { s.version = ChannelVersion(9); }) == "wrong_receipts");
  }
  SECTION("there are more when an offer was lost") {
    two.run(Side::a, Pay{cc(1), {receipt(3)}});
    two.to_b.clear();
    two.run(Side::a, CloseTogether{});
    two.talk();
    REQUIRE(two.submitted_a.size() == 1);
    CHECK(std::get<channels::Close>(two.submitted_a.front()).close.state.receipts_count == 4);
  }
}

TEST_CASE("closes that cross agree on the higher version") {
  Two two;
  two.run(Side::a, Pay{cc(10), {}});
  two.talk();
  two.run(Side::a, CloseTogether{});
  two.run(Side::b, CloseTogether{});
  two.talk();
  CHECK(two.submitted_a.size() + two.submitted_b.size() == 1);
}

TEST_CASE("after a splice is signed nothing is, until it is final or too late") {
  Two two;
  two.run(Side::a, SpliceTogether{BalanceDelta(20'000'000), BalanceDelta(0), BlockNumber(9)});
  two.talk();
  CHECK(std::holds_alternative<channels::Splice>(two.submitted_a.at(0)));
  for (const Side side : channels::kBothSides) {
    Party& party = two.party(side);
    CHECK(party.record().stage == Stage::splicing);
    CHECK(refused(party, Pay{cc(1), {}}) == "not_in_this_stage");
    CHECK(refused(party, CloseTogether{}) == "not_in_this_stage");
  }
  SECTION("final") {
    const ChannelState state = two.a.record().splice->body.state;
    const SplicedOnChain event{state.version, state.balance_a, state.balance_b};
    two.run(Side::a, event);
    two.run(Side::b, event);
    CHECK(two.a.locked() == cc(120));
    CHECK(two.a.received() == cc(0));  // what it brought itself is no payment
  }
  SECTION("too late") {
    two.run(Side::a, FinalBlock{BlockNumber(9)});
    CHECK(two.a.record().stage == Stage::splicing);
    two.run(Side::a, FinalBlock{BlockNumber(10)});
    two.run(Side::b, FinalBlock{BlockNumber(10)});
    CHECK(two.a.locked() == cc(100));
  }
  CHECK(two.a.record().stage == Stage::ready);
  two.run(Side::a, Pay{cc(1), {}});
  two.talk();
  CHECK(two.b.record().newest->state.balance_b == cc(1));
}

TEST_CASE("a splice that moves my credits waits for me") {
  Two two;
  two.run(Side::a, SpliceTogether{BalanceDelta(0), BalanceDelta(5'000'000), BlockNumber(9)});
  two.talk();
  CHECK(two.told(Side::b, Notice::splice_offered));
  CHECK(two.b.record().stage == Stage::ready);
  two.run(Side::b, AcceptSplice{*two.b.splice_offered()});
  two.talk();
  CHECK(two.submitted_a.size() == 1);
}

TEST_CASE("before a claim the newest offer is countersigned and ending is written") {
  Two two;
  two.run(Side::a, Pay{cc(10), {}});
  must(two.b, std::get<Offer>(two.to_b.front()));
  must(two.b, End{});
  const Actions actions = must(two.b, TimerFired{TimerKind::answer_wait});
  const auto written = all<Persist>(actions);
  REQUIRE_FALSE(written.empty());
  CHECK(written.back().record.stage == Stage::ending);
  const auto call = std::get<channels::CloseUnilateral>(all<Submit>(actions).front().call);
  CHECK(call.claim->state.balance_b == cc(10));
  // Broken on purpose: without `ending` B would sign this and be taken for a cheater.
  Offer late = std::get<Offer>(two.to_b.front());
  late.state.version = ChannelVersion(3);
  late.state.acked = ChannelVersion(1);
  late.base = ChannelVersion(1);
  late.signature = kA.sign(channels::update_bytes(late.state));
  CHECK(refused(two.b, late) == "not_in_this_stage");
}

TEST_CASE("a challenge with less than I hold is refuted with what I hold") {
  Two two;
  two.run(Side::a, Pay{cc(10), {}});
  two.talk();
  const Actions actions = must(two.b, ChallengedOnChain{ChannelVersion(0)});
  CHECK(std::holds_alternative<channels::CloseUnilateral>(all<Submit>(actions).at(0).call));
  CHECK(two.b.record().stage == Stage::ending);
  CHECK(all<Submit>(must(two.b, ChallengedOnChain{ChannelVersion(1)})).empty());
}

TEST_CASE("a restored party signs only its peer's close and requests its own") {
  Two two;
  const Record backup = two.a.record();
  two.run(Side::a, Pay{cc(10), {}});
  two.talk();
  Party restored = Party::from_backup(backup, kA, {});
  CHECK(refused(restored, Pay{cc(1), {}}) == "not_in_this_stage");
  CHECK(refused(restored, CloseTogether{}) == "not_in_this_stage");
  must(restored, End{});
  const Actions actions = must(restored, TimerFired{TimerKind::answer_wait});
  CHECK(std::holds_alternative<channels::RequestClose>(all<Submit>(actions).at(0).call));

  SECTION("a close that is worse than what it knows waits for its user") {
    must(two.b, CloseTogether{});
    const CloseOffer offer{two.b.record().close->state, *two.b.record().close->mine};
    CHECK(all<Tell>(must(restored, offer)).at(0).notice == Notice::close_offered);
    CHECK_FALSE(restored.record().close);
    must(restored, AcceptClose{*restored.close_offered()});
    CHECK(restored.record().close->mine);
  }
  SECTION("it asks for a close, and takes one that pays what both know of") {
    two.a = Party::from_backup(backup, kA, {});
    two.told_a.clear();
    two.run(Side::a, Connected{});
    two.run(Side::a, AskClose{});
    two.talk();
    CHECK(two.told(Side::a, Notice::peer_ahead));
    CHECK_FALSE(two.told(Side::a, Notice::close_offered));
    REQUIRE(two.submitted_b.size() == 1);
    const auto& close = std::get<channels::Close>(two.submitted_b.front()).close;
    CHECK(close.state.balance_a == cc(90));
    CHECK(two.b.record().stage == Stage::closing);
    // Asked again, the peer says the same again.
    must(two.b, CloseWanted{backup.terms.channel_id});
    CHECK(two.b.record().highest_signed == close.state.version);
  }
  SECTION("in a challenge it refutes through somebody else's account") {
    must(restored, Learn{*two.b.record().newest});
    const auto submits = all<Submit>(must(restored, ChallengedOnChain{ChannelVersion(0)}));
    REQUIRE(submits.size() == 1);
    CHECK(submits.front().by_third_party);
  }
}

// Fails when a consent is to whatever was offered last: between what a user sees and what it says
// to that, the peer may offer something worse.
TEST_CASE("a consent is to the close or the splice that was shown") {
  const ChannelId id = terms_of(Side::a).channel_id;
  SECTION("close") {
    Party restored = Party::from_backup(Two().a.record(), kA, {});
    const auto close_of = [&](std::uint64_t version, std::uint64_t mine) {
      const ChannelState state{id, ChannelVersion(version), cc(mine), cc(100 - mine), Hash{},
                               0,  ChannelVersion(0)};
      return CloseOffer{state, kB.sign(channels::close_bytes(state))};
    };
    must(restored, close_of(2, 90));
    CHECK(restored.close_offered() == cc(90));
    const std::uint64_t later = GENERATE(2, 4);
    must(restored, close_of(later, 1));
    CHECK(refused(restored, AcceptClose{cc(90)}) == "own_balance_falls");
    CHECK_FALSE(restored.record().close);
    must(restored, close_of(later, 90));
    CHECK(refused(restored, AcceptClose{cc(90)}) == "done");
    CHECK(restored.record().close->state.balance_a == cc(90));
  }
  SECTION("splice") {
    Two two;
    const auto splice_of = [&](std::uint64_t credits) {
      const BalanceDelta delta(static_cast<i128>(cc(credits).micro));
      const SpliceBody body{
          {id, ChannelVersion(1), cc(100), cc(credits), Hash{}, 0, ChannelVersion(0)},
          BalanceDelta(),
          delta,
          BlockNumber(9)};
      return SpliceOffer{body, kA.sign(channels::splice_bytes(body))};
    };
    must(two.b, splice_of(5));
    const BalanceDelta shown = *two.b.splice_offered();
    must(two.b, splice_of(50));
    CHECK(refused(two.b, AcceptSplice{shown}) == "balances_differ");
    CHECK(two.b.record().stage == Stage::ready);
    must(two.b, splice_of(5));
    CHECK(refused(two.b, AcceptSplice{shown}) == "done");
    CHECK(two.b.record().splice->body.delta_b == shown);
  }
}

// A's journal is lost with a splice in it. B has A sign a close first and then submits the splice:
// the chain takes that close no more. Shown to fail with each half of the check in complete_close()
// taken out (the sum: the first of the two splices; the floor: the second).
TEST_CASE("a signed close that a splice made void stands in nobody's way") {
  Two two;
  two.run(Side::a, Pay{cc(10), {}});
  two.talk();
  const Record backup = two.a.record();
  const auto [to_a, to_b, close_version] =
      GENERATE(std::tuple(20, 0, 132), std::tuple(5, -5, 2));  // the second leaves the sum
  const auto micro = [](int credits) { return BalanceDelta(credits * i128{1'000'000}); };
  two.run(Side::a, SpliceTogether{micro(to_a), micro(to_b), BlockNumber(9)});
  const ChannelState spliced = two.a.record().splice->body.state;

  Party restored = Party::from_backup(backup, kA, {});
  ChannelState state = backup.newest->state;
  state.version = ChannelVersion(static_cast<std::uint64_t>(close_version));
  must(restored, CloseOffer{state, kB.sign(channels::close_bytes(state))});
  REQUIRE(restored.record().close->mine);
  CHECK(all<Submit>(must(restored, TimerFired{TimerKind::close_wait})).size() == 1);
  must(restored, SplicedOnChain{spliced.version, spliced.balance_a, spliced.balance_b});
  CHECK(all<Submit>(must(restored, TimerFired{TimerKind::close_wait})).empty());

  SECTION("it requests the close") {
    must(restored, End{});
    const Actions actions = must(restored, TimerFired{TimerKind::answer_wait});
    CHECK(std::holds_alternative<channels::RequestClose>(all<Submit>(actions).at(0).call));
  }
  SECTION("in a challenge it refutes") {
    ChannelState newer = spliced;
    newer.version = ChannelVersion(spliced.version.value + 2);
    const Bytes bytes = channels::update_bytes(newer);
    must(restored, Learn{CoSignedState{newer, kA.sign(bytes), kB.sign(bytes)}});
    const auto submits = all<Submit>(must(restored, ChallengedOnChain{spliced.version}));
    CHECK(std::holds_alternative<channels::Refute>(submits.at(0).call));
  }
}

TEST_CASE("a party whose peer shows a newer signature of its own is restored") {
  Two two;
  const Record old = two.a.record();
  two.run(Side::a, Pay{cc(10), {}});
  two.talk();
  Party behind(old, kA, {});
  const Actions actions = must(behind, Hello{old.terms.channel_id, two.b.record().newest, false});
  CHECK(behind.record().stage == Stage::restored);
  CHECK(all<Tell>(actions).at(0).notice == Notice::peer_ahead);

  // Without a valid signature of mine nothing happens.
  Party calm(old, kA, {});
  CoSignedState forged = *two.b.record().newest;
  forged.signature_a = forged.signature_b;
  must(calm, Hello{old.terms.channel_id, forged, false});
  CHECK(calm.record().stage == Stage::ready);
}

TEST_CASE("after a lost connection both go on where they were") {
  Two two;
  two.run(Side::a, Pay{cc(1), {receipt(1)}});
  two.talk();
  for (std::uint64_t i = 2; i < 6; ++i) two.run(Side::a, Pay{cc(1), {receipt(i)}});
  const int lost = GENERATE(0, 1, 2, 3, 4);
  two.to_b.resize(two.to_b.size() - static_cast<std::size_t>(lost));
  while (!two.to_b.empty()) {
    must(two.b, std::get<Offer>(two.to_b.front()));
    two.to_b.pop_front();
  }
  must(two.b, TurnEnded{});  // its answer is lost
  two.a = Party(two.a.record(), kA, {});
  two.b = Party(two.b.record(), kB, {});
  two.run(Side::a, Connected{});
  two.run(Side::b, Connected{});
  two.talk();
  CHECK(two.a.record().newest == two.b.record().newest);
  CHECK(two.b.own_balance() == cc(5));
  CHECK(two.b.record().newest->state.receipts_count == 5);
  two.run(Side::a, Pay{cc(1), {receipt(9)}});
  two.talk();
  CHECK(two.b.own_balance() == cc(6));
}

// The peer proposes from a state that has my offer, or a part of it, in it already: what is made
// anew on top is only the rest. Made anew whole, A would pay twice.
TEST_CASE("an open offer that a peer's state took already is not paid a second time") {
  Two two;
  two.run(Side::a, Pay{cc(10), {receipt(1)}});
  two.talk();
  two.run(Side::a, Pay{cc(4), {receipt(2)}});
  two.to_b.clear();
  const ChannelState base = two.a.record().newest->state;
  const auto [of_a, rest] =
      GENERATE(std::pair{86, 0}, std::pair{88, 2}, std::pair{90, 4}, std::pair{91, 4});
  Offer offer{base, {}, base.version, {}};
  offer.state.version = ChannelVersion(base.version.value + 131);
  offer.state.acked = base.version;
  offer.state.balance_a = cc(static_cast<std::uint64_t>(of_a));
  offer.state.balance_b = cc(static_cast<std::uint64_t>(100 - of_a));
  offer.signature = kB.sign(channels::update_bytes(offer.state));
  must(two.a, offer);
  const auto sent = all<Send>(must(two.a, TurnEnded{}));
  CHECK(two.a.record().newest->state == offer.state);
  CHECK(two.a.own_balance() == cc(static_cast<std::uint64_t>(of_a - rest)));
  CHECK(two.a.record().offer.has_value() == (rest != 0));
  CHECK(sent.size() == (rest != 0 ? 2U : 1U));
}

// Its peer would be stopped until then, by a splice that nobody submits.
TEST_CASE("a splice that stays valid for too long is not signed") {
  Two two;
  const auto wish = [](std::uint32_t last) {
    return SpliceTogether{BalanceDelta(1), BalanceDelta(0), BlockNumber(last)};
  };
  CHECK(refused(two.a, wish(UINT32_MAX)) == "valid_too_long");
  two.run(Side::a, FinalBlock{BlockNumber(UINT32_MAX - 9)});  // A's view of the chain is its own
  two.run(Side::a, wish(UINT32_MAX));
  CHECK(refused(two.b, std::get<SpliceOffer>(two.to_b.front())) == "valid_too_long");
  two.run(Side::b, FinalBlock{BlockNumber(UINT32_MAX - 9)});
  CHECK(refused(two.b, std::get<SpliceOffer>(two.to_b.front())) == "done");
}

}  // namespace tally::channel
