// What the start-up guard waits for, by the millisecond and by the weight.
//
// Each line of KeyGuard was left out or changed in turn, and a test here or in key_guard_test.cpp
// failed.
#include <catch2/catch.hpp>

#include "node/consensus/key_guard.hpp"

namespace tally::consensus {
namespace {

constexpr Parameters kNumbers{DurationMs(100), DurationMs(50), DurationMs(1'000)};
constexpr std::uint64_t kListen = 1'000 + kListenDeltas * 100;
constexpr Hint kHere{Epoch(3), View(9), View(8)};

PeerId link(std::uint8_t name) {
  PeerId id;
  id.bytes[0] = name;
  return id;
}

ValidatorIndex member(std::uint16_t index) {
  return ValidatorIndex(index);
}

// A guard in epoch 3, beside links that a test makes; it is validator 0.
struct Watch {
  ValidatorSet set;
  Peers peers;
  KeyGuard guard;
  std::optional<ValidatorIndex> self = member(0);
  Hint own = kHere;

  explicit Watch(const std::vector<std::uint64_t>& weights = {1, 1, 1, 1}, bool fresh = false)
      : guard({KeyGuard::Mode::listening, fresh, {}}, kNumbers, Instant(1'000)) {
    for (const std::uint64_t weight : weights) {
      Validator one;
      one.consensus_key.bytes[0] = static_cast<std::uint8_t>(set.size() + 1);
      one.weight = weight;
      REQUIRE(set.members.push_back(one));
    }
  }
  void up(std::uint8_t name, std::uint16_t validator, std::uint64_t at, const Hint& says = kHere) {
    peers.up(link(name), member(validator));
    peers.hint(link(name), says);
    guard.up(member(validator), Instant(1'000 + at));
  }
  void down(std::uint8_t name) {
    peers.down(link(name));
    guard.down(peers);
  }
  // When it opens, in milliseconds after its start, asked whenever it says that it may; none: not
  // in a minute.
  std::optional<std::uint64_t> opens() {
    for (std::uint64_t now = 1'000; now < 61'000;) {
      if (guard.listen({set, peers, own, self}, Instant(now))) {
        CHECK(guard.may_sign());
        return now - 1'000;
      }
      CHECK_FALSE(guard.may_sign());
      const auto next = guard.next(Instant(now));
      if (!next) return std::nullopt;
      REQUIRE(next->value > now);
      now = next->value;
    }
    return std::nullopt;
  }
};

using Opens = std::optional<std::uint64_t>;

}  // namespace

TEST_CASE("guard: it listens to a quorum for its time, to a link that comes late from then on") {
  Watch one;
  one.up(1, 1, 0);
  CHECK(one.opens() == std::nullopt);  // two of four
  Watch late;
  late.up(1, 1, 0);
  late.up(2, 2, 250);
  CHECK(late.opens() == Opens(250 + kListen));
  Watch third;
  third.up(1, 1, 0);
  third.up(2, 2, 250);
  third.up(3, 3, 120);
  CHECK(third.opens() == Opens(120 + kListen));
}

TEST_CASE("guard: a link that went counts for nothing, and one that comes back begins anew") {
  Watch gone;
  gone.up(1, 1, 0);
  gone.up(2, 2, 0);
  gone.down(2);
  CHECK(gone.opens() == std::nullopt);
  gone.up(4, 2, 300);
  CHECK(gone.opens() == Opens(300 + kListen));
  Watch beside;  // another link of the same validator holds its time
  beside.up(1, 1, 0);
  beside.up(2, 2, 0);
  beside.up(4, 2, 300);
  beside.down(2);
  CHECK(beside.opens() == Opens(kListen));
}

TEST_CASE("guard: what was listened before it begins anew counts for nothing") {
  Watch watch;
  watch.up(1, 1, 0);
  watch.up(2, 2, 0);
  watch.guard.begin_anew(Instant(1'000 + 700));
  CHECK(watch.guard.listened(Instant(1'000 + 800)) == DurationMs(100));
  CHECK(watch.opens() == Opens(700 + kListen));
}

TEST_CASE("guard: who is ahead, or has not said where it stands, does not count") {
  struct Case {
    Hint says;
    bool counts;
  };
  const Case cases[] = {{kHere, true},
                        {{Epoch(3), View(12), View(8)}, true},
                        {{Epoch(3), View(9), View(7)}, true},
                        {{Epoch(2), View(9), View(90)}, true},
                        {{Epoch(3), View(10), View(9)}, false},
                        {{Epoch(4), View(1), View(0)}, false},
                        {{Epoch(0), View(0), View(0)}, false}};
  for (const Case& one : cases) {
    INFO("epoch " << one.says.epoch.value << ", floor " << one.says.floor.value);
    Watch watch;
    watch.up(1, 1, 0);
    watch.up(2, 2, 0, one.says);
    CHECK(watch.opens() == (one.counts ? Opens(kListen) : std::nullopt));
  }
}

TEST_CASE("guard: weight is that of the set, its own once and only as a member") {
  Watch twin;
  twin.up(1, 1, 0);
  twin.up(2, 0, 0);  // a link that proves this node's own key
  CHECK(twin.opens() == std::nullopt);
  Watch twice;
  twice.up(1, 1, 0);
  twice.up(2, 1, 0);  // two links of one validator
  CHECK(twice.opens() == std::nullopt);
  Watch stranger;
  stranger.self.reset();
  stranger.up(1, 1, 0);
  stranger.up(2, 2, 0);
  CHECK(stranger.opens() == std::nullopt);
  Watch heavy({10, 1, 1, 1});  // nothing is decided without it, and it listens all the same
  CHECK(heavy.opens() == Opens(kListen));
  Watch short_of({2, 2, 1, 1, 1});  // a quorum is 5 of 7
  short_of.up(1, 1, 0);
  CHECK(short_of.opens() == std::nullopt);
  short_of.up(2, 2, 0);
  CHECK(short_of.opens() == Opens(kListen));
  Watch alone({3});
  CHECK(alone.opens() == Opens(0));
}

TEST_CASE("guard: one that never signed opens at once, for a quorum at genesis only") {
  const Hint genesis{Epoch(1), View(1), View(0)};
  Watch fresh({1, 1, 1, 1}, true);
  fresh.own = genesis;
  fresh.up(1, 1, 0, genesis);
  CHECK_FALSE(fresh.guard.listen({fresh.set, fresh.peers, fresh.own, fresh.self}, Instant(1'000)));
  fresh.up(2, 2, 0, genesis);
  CHECK(fresh.opens() == Opens(0));
  for (const Hint& says : {Hint{Epoch(1), View(2), View(0)}, Hint{Epoch(1), View(2), View(1)}}) {
    Watch moved({1, 1, 1, 1}, true);
    moved.own = says;
    moved.up(1, 1, 0, genesis);
    moved.up(2, 2, 0, says);
    CHECK(moved.opens() == Opens(kListen));
  }
  Watch signed_before;
  signed_before.own = genesis;
  signed_before.up(1, 1, 0, genesis);
  signed_before.up(2, 2, 0, genesis);
  CHECK(signed_before.opens() == Opens(kListen));
}

TEST_CASE("guard: shut while listening for the epoch, while open for good, off never") {
  const auto quorum = [](Watch& watch) {
    watch.up(1, 1, 0);
    watch.up(2, 2, 0);
  };
  Watch listening;
  quorum(listening);
  listening.guard.heard_foreign("first");
  listening.guard.heard_foreign("second");
  CHECK(listening.guard.mode() == KeyGuard::Mode::shut_epoch);
  CHECK(listening.guard.reason() == "first");
  CHECK(listening.opens() == std::nullopt);
  CHECK(listening.guard.carried().mode == KeyGuard::Mode::listening);
  CHECK_FALSE(listening.guard.carried().fresh);
  Watch open;
  quorum(open);
  REQUIRE(open.opens());
  CHECK(open.guard.carried().mode == KeyGuard::Mode::open);
  open.guard.heard_foreign("it");
  CHECK(open.guard.mode() == KeyGuard::Mode::shut);
  CHECK(open.opens() == std::nullopt);
  CHECK(open.guard.carried().mode == KeyGuard::Mode::shut);
  CHECK(open.guard.carried().reason == "it");
  Watch blank;  // it does not know what it has signed
  blank.guard = KeyGuard({KeyGuard::Mode::listening, false, {}, true}, kNumbers, Instant(1'000));
  CHECK(blank.guard.carried().blank);
  quorum(blank);
  CHECK(blank.opens() == std::nullopt);
  CHECK(blank.guard.mode() == KeyGuard::Mode::shut_epoch);
  CHECK(blank.guard.carried().mode == KeyGuard::Mode::listening);
  CHECK_FALSE(blank.guard.carried().blank);
  KeyGuard off({}, kNumbers, Instant(1'000));
  off.heard_foreign("it");
  CHECK(off.may_sign());
}

}  // namespace tally::consensus
