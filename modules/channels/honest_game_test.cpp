// An honest side against everybody else, move by move through the real module: every history of up
// to three versions, every order in which its peer and a stranger may post what it signed, at every
// millisecond on either side of each deadline. It moves itself, or its tower does, within a quarter
// of a challenge period, unless another took the block's one refutation first. Whatever the others
// do, it is never named a cheater and gets what its newest co-signed state gives it, or what an own
// newer offer does, less the fee.
//
// Broken on purpose: with proves_more() that does not look at `acked`, in the module and in the
// model alike, an honest payer is named a cheater; with a side that may be late by more than a
// period (kBearable), it is paid less than it is owed.
#include <catch2/catch.hpp>

#include "modules/channels/small_world_test.hpp"

namespace tally::channels::small {
namespace {

constexpr int kVersions = 3;
constexpr int kGamePeriod = 4;
constexpr int kBearable = kGamePeriod / 4;  // until it gets in, if nobody else does

// What the honest side signed; its peer has both signatures under all of it.
struct History {
  std::vector<Step> states;
  int newest = 0;  // that it holds itself
};

using Balances = std::array<int, kVersions>;  // A's, by version

void enumerate(int honest, const Balances& of_a, const History& so_far, std::vector<History>& out) {
  const int version = so_far.states.empty() ? 1 : so_far.states.back().version + 1;
  out.push_back(so_far);
  for (int next = version; next <= kVersions; ++next) {
    Step state{.kind = Kind::refute, .version = next};
    state.a = of_a[at(next - 1)];
    state.b = 4 - state.a;
    const bool own = (next % 2 == 1) == (honest == kA);
    // Into its own it writes what it holds; its peer writes what it likes.
    for (const int acked : own ? std::vector<int>{so_far.newest} : std::vector<int>{0, next - 1}) {
      for (const bool held : own ? std::vector<bool>{false, true} : std::vector<bool>{true}) {
        History longer = so_far;
        state.acked = acked;
        longer.states.push_back(state);
        if (held) longer.newest = next;
        enumerate(honest, of_a, longer, out);
      }
    }
  }
}

struct Game {
  int honest = 0;
  const History& history;
  bool through_tower = false;

  const Step* newest() const {
    for (const Step& state : history.states) {
      if (state.version == history.newest) return &state;
    }
    return nullptr;
  }
  bool behind(const Model& m) const {
    const auto& q = m.channels[0].quarrel;
    return q && q->standing.version < history.newest;
  }
  bool slot_is_free(const Model& m) const { return m.channels[0].quarrel->refuted_in != m.number; }
  // What it must get at least: worked out from what it signed alone.
  int owed(const Chan& begun) const {
    const auto net = [&](int a, int b) {
      const int mine = honest == kA ? a : b;
      const int brought = honest == kA ? begun.held[0] : begun.held[1];
      return mine - std::max(0, mine - brought) / 2;
    };
    int least = net(begun.floor.a, begun.floor.b);
    if (const Step* held = newest()) least = net(held->a, held->b);
    for (const Step& state : history.states) {
      if (state.version > history.newest) least = std::min(least, net(state.a, state.b));
    }
    return least;
  }
  // Moves of everybody in this state; a tick only if the honest side need not move first.
  std::vector<Step> moves(const Model& m, int lag) const {
    const int peer = other(honest);
    std::vector<Step> out;
    if (!behind(m) || lag < kBearable || !slot_is_free(m)) out.push_back({.kind = Kind::tick});
    out.push_back({.kind = Kind::settle, .who = kT});
    if (!m.channels[0].quarrel) {
      out.push_back({.kind = Kind::claim_floor, .who = peer});
      out.push_back({.kind = Kind::request, .who = peer});
      Step own{.kind = Kind::claim_floor, .who = honest};
      if (const Step* held = newest()) own = *held, own.kind = Kind::claim, own.who = honest;
      out.push_back(own);
    }
    for (Step state : history.states) {
      state.who = peer;
      state.kind = m.channels[0].quarrel ? Kind::refute : Kind::claim;
      out.push_back(state);
      if (state.kind == Kind::claim) continue;
      state.who = kT;
      state.appointed_by = peer;
      out.push_back(state);
    }
    if (!behind(m)) return out;
    Step mine = *newest();
    mine.who = through_tower ? kT : honest;
    if (through_tower) mine.appointed_by = honest;
    out.push_back(mine);
    return out;
  }
};

struct Played {
  std::size_t ends = 0;
  std::size_t steps = 0;
  std::size_t frauds = 0;  // of the peer
  std::string wrong;
};

std::string unsound(const Game& game, const Model& m, int owed, Played& played) {
  const auto& q = m.channels[0].quarrel;
  const std::size_t me = at(game.honest);
  if (q && q->fraud[me] != Mark::none) return "named a cheater";
  if (!m.ended[0]) return {};
  ++played.ends;
  played.frauds += m.ended[0]->fraud[1 - me] != Mark::none ? 1 : 0;
  if (m.ended[0]->fraud[me] != Mark::none) return "named a cheater in the end";
  if (m.ended[0]->paid[me] < owed) {
    return "owed " + std::to_string(owed) + ", paid " + std::to_string(m.ended[0]->paid[me]);
  }
  return {};
}

void play(const Game& game, const Model& begun, Played& played) {
  using Node = std::pair<Model, int>;
  const int owed = game.owed(begun.channels[0]);
  std::set<Node> seen{{begun, 0}};
  std::deque<Node> open{{begun, 0}};
  while (!open.empty() && played.wrong.empty()) {
    const auto [here, lag] = open.front();
    open.pop_front();
    const MapState before(storage_of(here));
    for (const Step& step : game.moves(here, lag)) {
      Node next{here, lag};
      std::string verdict;
      played.wrong = take(before, next.first, step, verdict);
      ++played.steps;
      if (played.wrong.empty()) played.wrong = unsound(game, next.first, owed, played);
      if (!played.wrong.empty()) return;
      if (verdict != "applied" || next.first.ended[0]) continue;
      if (step.kind == Kind::tick) ++next.second;
      next.second = game.behind(next.first) ? std::min(next.second, kBearable) : 0;
      next.first.rebase();
      if (seen.insert(next).second) open.push_back(std::move(next));
    }
  }
}

}  // namespace

TEST_CASE("whatever the others do, an honest side is never slashed and gets what it is owed") {
  const int honest = GENERATE(kA, kB);
  Model begun;
  begun.rules.period = kGamePeriod;
  begun.free = {5, 3, 4, 0};
  begun.issued = 12;
  REQUIRE(begun.apply({.kind = Kind::open, .who = kA, .a = 3, .b = 1, .consent = Consent::good}) ==
          "applied");
  begun.rebase();
  Played played;
  std::size_t games = 0;
  for (const Balances& of_a : {Balances{2, 4, 1}, Balances{0, 1, 3}}) {
    std::vector<History> histories;
    enumerate(honest, of_a, {}, histories);
    for (const History& history : histories) {
      for (const bool tower : {false, true}) {
        play({honest, history, tower}, begun, played);
        ++games;
        INFO("honest " << honest << ", " << history.states.size() << " states, newest "
                       << history.newest << ", tower " << tower);
        REQUIRE(played.wrong == "");
      }
    }
  }
  INFO(games << " games, " << played.steps << " steps, " << played.ends << " ends");
  CHECK(games > 50);
  CHECK(played.ends > 1'000);
  CHECK(played.frauds > 100);
}

}  // namespace tally::channels::small
