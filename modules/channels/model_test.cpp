// Random lives of three channels between two accounts against a model that knows sums only.
#include <rapidcheck.h>

#include "modules/channels/fixture_test.hpp"

namespace tally::channels {
namespace {

// What the model says of one channel: the range that its version and money may be in.
struct Known {
  ChannelId id;
  std::uint64_t floor = 0;
  std::uint64_t standing = 0;
  bool challenged = false;
};

ChannelState random_state(const World& w, const Known& known) {
  const auto channel = w.chain.channel(known.id);
  const std::uint64_t total =
      channel ? static_cast<std::uint64_t>(locked(*channel).micro) : 100'000'000;
  const std::uint64_t b = *rc::gen::inRange<std::uint64_t>(0, total + 1);
  const std::uint64_t version = *rc::gen::inRange<std::uint64_t>(0, 12);
  const std::uint64_t acked = *rc::gen::inRange<std::uint64_t>(0, version + 1);
  return {known.id, ChannelVersion(version), Balance(total - b), Balance(b), Hash{},
          0,        ChannelVersion(acked)};
}

void step(World& w, Known& known) {
  const AccountId who = *rc::gen::element(w.alice, w.bob, w.tom);
  const bool participant = who != w.tom;
  const ChannelState state = random_state(w, known);
  const std::uint64_t v = state.version.value;
  const bool shaped = state.acked < state.version;
  const bool alive = w.chain.channel(known.id).has_value();
  switch (*rc::gen::inRange(0, 6)) {
    case 0: {
      const bool applied = w.run(who, Close{w.pair.close(state)}) == "applied";
      RC_ASSERT(applied == (alive && v > known.floor && shaped));
      break;
    }
    case 1: {
      const bool applied = w.run(who, w.claim_call(state)) == "applied";
      if (!known.challenged) {
        RC_ASSERT(applied == (alive && participant && v > known.floor && shaped));
      }
      if (applied) known.challenged = true, known.standing = v;
      break;
    }
    case 2: {
      const bool applied = w.run(who, w.refute_call(state)) == "applied";
      RC_ASSERT(!applied || (alive && known.challenged && v > known.standing && shaped));
      if (applied) known.standing = v;
      break;
    }
    case 3: {
      const bool applied = w.run(who, RequestClose{known.id}) == "applied";
      RC_ASSERT(applied == (alive && participant && !known.challenged));
      if (applied) known.challenged = true, known.standing = known.floor;
      break;
    }
    case 4: {
      const auto delta = [] { return *rc::gen::inRange<std::int64_t>(-40'000'000, 40'000'000); };
      SpliceBody body{state, BalanceDelta(delta()), BalanceDelta(delta()), BlockNumber(1'000'000)};
      const i128 a = static_cast<i128>(state.balance_a.micro) + body.delta_a.micro;
      const i128 b = static_cast<i128>(state.balance_b.micro) + body.delta_b.micro;
      RC_PRE(a >= 0 && b >= 0);
      body.state.balance_a = Balance(static_cast<u128>(a));
      body.state.balance_b = Balance(static_cast<u128>(b));
      const bool applied = w.run(who, w.pair.splice(body)) == "applied";
      RC_ASSERT(!applied || (alive && participant && !known.challenged && v > known.floor));
      if (applied) known.floor = v;
      break;
    }
    default:
      w.chain.pass(DurationMs(*rc::gen::inRange<std::uint64_t>(0, 12'000)));
      break;
  }
  const auto channel = w.chain.channel(known.id);
  if (!channel) return;
  RC_ASSERT(channel->floor.version.value == known.floor);
  if (channel->challenge) RC_ASSERT(channel->challenge->standing.version.value == known.standing);
}

}  // namespace

// The fixture checks the invariants and the no-op rule after every call.
TEST_CASE("random lives keep the model's bounds and the module's invariants") {
  const bool ok = rc::check([] {
    World w;
    std::vector<Known> channels;
    for (int i = 0; i < 3; ++i) channels.push_back({w.open(World::cc(60), World::cc(40))});
    const u128 before = w.chain.wealth(w.alice).micro + w.chain.wealth(w.bob).micro;
    for (int i = 0; i < 24; ++i) step(w, channels[*rc::gen::inRange<std::size_t>(0, 3)]);
    w.chain.pass(DurationMs(15 * World::kPeriod.value));
    for (const Known& known : channels) {
      if (known.challenged) RC_ASSERT(!w.chain.channel(known.id));
    }
    const u128 after = w.chain.wealth(w.alice).micro + w.chain.wealth(w.bob).micro;
    RC_ASSERT(after <= before);
    // Two percent of everything is more than all settlement fees together.
    RC_ASSERT(before - after <= before / 50);
  });
  CHECK(ok);
}

}  // namespace tally::channels
