// Every history of up to five versions, every way to post it: the honest side is never marked, and
// what it held newest, or something that it offered later, is what stands in the end.
//
// Broken on purpose: with a proves_more() that is true whoever proposed, whatever it acknowledged,
// honest payers that ran ahead are marked, and this test and two of fraud_test.cpp fail.
#include <algorithm>
#include <catch2/catch.hpp>

#include "modules/channels/rules.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channels {
namespace {

constexpr std::uint64_t kVersions = 5;

AccountId account(std::uint8_t n) {
  AccountId id;
  id.bytes.fill(n);
  return id;
}

// What the honest side signed, in order. Its peer can complete every one of them.
struct History {
  std::vector<ChannelState> signed_by_honest;
  std::uint64_t newest = 0;  // that the honest side holds co-signed
};

// One way to go on at version `v`: nothing; or signed with this `acked`, known as co-signed or not.
void enumerate(Side honest, std::uint64_t v, const History& so_far, std::vector<History>& out) {
  if (v > kVersions) {
    out.push_back(so_far);
    return;
  }
  enumerate(honest, v + 1, so_far, out);
  ChannelState state;
  state.version = ChannelVersion(v);
  state.balance_a = Balance(100 - v);
  state.balance_b = Balance(v);
  if (state.proposer() == honest) {
    state.acked = ChannelVersion(so_far.newest);
    for (const bool known : {false, true}) {
      History next = so_far;
      next.signed_by_honest.push_back(state);
      if (known) next.newest = v;
      enumerate(honest, v + 1, next, out);
    }
  } else {
    // The peer writes whatever it likes into `acked`.
    for (const std::uint64_t acked : {std::uint64_t{0}, v - 1}) {
      state.acked = ChannelVersion(acked);
      History next = so_far;
      next.signed_by_honest.push_back(state);
      next.newest = v;
      enumerate(honest, v + 1, next, out);
      if (acked == v - 1) break;
    }
  }
}

const ChannelState& find(const History& history, std::uint64_t version) {
  return *std::find_if(history.signed_by_honest.begin(), history.signed_by_honest.end(),
                       [&](const auto& s) { return s.version.value == version; });
}

struct Game {
  Side honest;
  const History& history;
  Channel channel;
  std::uint64_t block = 1;
  bool over = false;

  std::uint64_t standing() const { return channel.challenge->standing.version.value; }
  void post(const AccountId& who, std::uint64_t version) {
    if (over || version <= standing()) return;
    const Moment now{BlockNumber(static_cast<std::uint32_t>(++block)), TimestampMs(block)};
    Refuted out = replace_standing(channel, find(history, version), {who, {}}, now);
    channel = out.channel;
    over = out.ends_now;
  }
  // The honest side looks at each final block and posts what it holds if less stands.
  void honest_looks(bool through_tower) {
    if (history.newest == 0) return;
    post(through_tower ? account(9) : channel.account(honest), history.newest);
  }
  bool sound() const {
    return !of(honest, channel.challenge->fraud) && standing() >= history.newest;
  }
};

// One game: the peer posts the versions of `script` in order, two bits each: not, by itself, or
// through a stranger. The honest side looks after `late` of them.
struct Script {
  std::uint64_t posts;
  unsigned late;
  bool through_tower;
};

void play(Game& game, const Script& script) {
  unsigned turn = 0;
  for (std::uint64_t v = 1; v <= kVersions; ++v) {
    const std::uint64_t how = (script.posts >> (2 * (v - 1))) & 3;
    if (how == 0) continue;
    if (turn++ == script.late) game.honest_looks(script.through_tower);
    game.post(how == 1 ? game.channel.account(other(game.honest)) : account(8), v);
  }
  game.honest_looks(script.through_tower);
}

Channel fresh_channel() {
  const auto channel = open_channel({account(1), account(2), Balance(100), Balance(0),
                                     DurationMs(10'000'000), BlockNumber(1), Phase::open},
                                    [] {
                                      Config config = main_config();
                                      config.deposit_min = Balance(1);
                                      return config;
                                    }());
  REQUIRE(channel.ok());
  return *channel;
}

// A challenge begun by `by` that claims `version`; signatures are not this test's matter.
Channel begun(Side by, const History& history, std::uint64_t version) {
  Channel channel = fresh_channel();
  auto out = claim(channel, by, nullptr, {BlockNumber(1), TimestampMs(1)});
  REQUIRE(out.ok());
  if (version == 0) return *out;
  const ChannelState& state = find(history, version);
  out->challenge->standing = {state.version, state.balance_a, state.balance_b, 0};
  of(by, out->challenge->posted) = state.version;
  return *out;
}

std::vector<std::uint64_t> scripts_for(const History& history) {
  std::vector<std::uint64_t> out{0};
  for (const ChannelState& state : history.signed_by_honest) {
    const std::size_t n = out.size();
    for (std::size_t i = 0; i < n; ++i) {
      for (const std::uint64_t how : {1, 2}) {
        out.push_back(out[i] | (how << (2 * (state.version.value - 1))));
      }
    }
  }
  return out;
}

std::size_t play_all(Side honest, const History& history) {
  std::size_t unsound = 0;
  std::vector<std::pair<Side, std::uint64_t>> starts{{honest, history.newest}, {other(honest), 0}};
  for (const ChannelState& state : history.signed_by_honest) {
    starts.emplace_back(other(honest), state.version.value);
  }
  for (const std::uint64_t posts : scripts_for(history)) {
    for (const auto& [by, version] : starts) {
      for (const unsigned late : {0U, 1U, 2U}) {
        for (const bool tower : {false, true}) {
          Game game{honest, history, begun(by, history, version)};
          play(game, {posts, late, tower});
          unsound += game.sound() ? 0U : 1U;
        }
      }
    }
  }
  return unsound;
}

}  // namespace

TEST_CASE("an honest side is never marked and never ends below what it holds") {
  for (const Side honest : kBothSides) {
    std::vector<History> histories;
    enumerate(honest, 1, {}, histories);
    std::size_t unsound = 0;
    for (const History& history : histories) unsound += play_all(honest, history);
    CHECK(histories.size() > 100);
    CHECK(unsound == 0);
  }
}

TEST_CASE("a division always adds up, whatever was marked, owed or refuted") {
  Config config = main_config();
  config.deposit_min = Balance(1);
  for (u128 b = 0; b <= 100; b += 7) {
    for (unsigned bits = 0; bits < 128; ++bits) {
      Channel channel = fresh_channel();
      channel.phase = Phase::challenge;
      Challenge challenge;
      challenge.standing = {ChannelVersion(3), Balance(100 - b), Balance(b), 0};
      if (bits & 1) of(Side::a, challenge.fraud) = FraudMark{};
      if (bits & 2) of(Side::b, challenge.fraud) = FraudMark{};
      if (bits & 4 && bits & 1) of(Side::a, challenge.fraud)->tower = account(9);
      if (bits & 8 && bits & 2) of(Side::b, challenge.fraud)->tower = account(8);
      if (bits & 16) challenge.requester = (bits & 32) ? Side::a : Side::b;
      challenge.request_refuted = (bits & 64) != 0;
      challenge.fees_owed = {Balance(bits % 5 * 20), Balance(bits % 3 * 30)};
      channel.challenge = challenge;
      const Payouts p = divide_challenge(channel, config).payouts;
      const u128 sum = p.to_a.micro + p.to_b.micro + p.to_towers.micro + p.settlement_fee.micro +
                       p.transaction_fees.micro;
      CHECK(sum == 100);
    }
  }
}

}  // namespace tally::channels
