// Channels in plain integers: what the rules of README.md say, for a world of a few µCC and a few
// milliseconds. Knows none of the module's predicates; uses the names of its rejections.
//
// Accounts: 0 opens (A), 1 is the counterparty (B), 2 watches and makes the blocks (T), 3 is the
// reward pool. Every number is an integer; times are absolute milliseconds.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "modules/channels/errors.hpp"

namespace tally::channels::small {

constexpr int kA = 0;
constexpr int kB = 1;
constexpr int kT = 2;
constexpr int kPool = 3;
constexpr int kPeriod = 2;
constexpr int kRequestFactor = 2;
constexpr int kExistential = 2;
constexpr int kDepositMin = 2;
constexpr int kHalf = 500;  // per thousand: fee, penalty and the tower's part alike
constexpr int kPenaltyMax = 1;
constexpr int kOpenMax = 2;
constexpr int kNow = 100;   // of every state that is kept
constexpr int kNumber = 1;  // its block's

constexpr std::size_t at(int number) {
  return static_cast<std::size_t>(number);
}
constexpr int other(int side) {
  return 1 - side;
}

struct Rules {
  int period = kPeriod;
  int settlements_max = 64;
};

enum class Kind : std::uint8_t {
  open,
  accept,
  cancel,
  close,
  claim,  // close_unilateral with an update
  claim_floor,
  request,
  refute,
  refute_owing,  // the same by one who pays its fee of 1 from the channel
  splice,
  settle,
  tick,  // the next block, a millisecond later
};
enum class Consent : std::uint8_t { none, good, expired, forged };

// A call and its arguments, as far as it has them.
struct Step {
  Kind kind{};
  int who = 0;
  int channel = 0;
  int version = 0;
  int a = 0;
  int b = 0;
  int acked = 0;
  bool forged_a = false;
  bool forged_b = false;
  int appointed_by = -1;  // the side that signed T's appointment
  int delta_a = 0;
  int delta_b = 0;
  bool expired = false;
  Consent consent{};
  int stretch = 1'000;
};

struct Place {
  int version = 0;
  int a = 0;
  int b = 0;
  int of(int side) const { return side == kA ? a : b; }
  auto operator<=>(const Place&) const = default;
};

enum class Mark : std::uint8_t { none, proved, proved_by_tower };

struct Quarrel {
  Place standing;
  int started = 0;
  int deadline = 0;
  int period = 0;
  int requester = -1;
  bool request_refuted = false;
  std::array<int, 2> posted{-1, -1};
  std::array<Mark, 2> fraud{};
  std::array<int, 2> owed{};
  int refuted_in = -1;  // block; 0: an earlier one
  auto operator<=>(const Quarrel&) const = default;
};

enum class Stage : std::uint8_t { none, pending, open, challenge };

struct Chan {
  Stage stage{};
  std::array<int, 2> held{};
  int base_b = 0;
  int opened_in = 0;
  Place floor;
  std::optional<Quarrel> quarrel;
  int locked() const { return stage == Stage::pending ? held[0] : held[0] + held[1]; }
  auto operator<=>(const Chan&) const = default;
};

// What a channel came to, for whoever judges it.
struct Ended {
  Place state;
  std::array<int, 2> paid{};
  std::array<Mark, 2> fraud{};
  auto operator<=>(const Ended&) const = default;
};

struct Why {
  std::set<Error> reasons;
  void add(bool holds, Error reason) {
    if (holds) reasons.insert(reason);
  }
  // In order of precedence; nothing when there is none.
  std::string first() const {
    return reasons.empty() ? "" : std::string(enumerator_name(*reasons.begin()));
  }
};

struct Model {
  Rules rules;
  std::array<int, 4> free{};
  std::array<int, 2> held{};
  int issued = 0;
  int opened = 0;
  std::array<Chan, 2> channels;
  std::array<std::optional<Ended>, 2> ended;
  // Deadlines that the chain will look at: a pile a bucket, and the first that is not done.
  std::map<int, std::vector<int>> queue;
  int queue_next = 0;
  bool queue_used = false;
  bool locked_used = false;
  bool held_used = false;
  int now = kNow;
  int number = kNumber;

  auto key() const {
    return std::tie(free, held, issued, opened, channels, ended, queue, queue_next, queue_used,
                    locked_used, held_used);
  }
  friend bool operator<(const Model& x, const Model& y) { return x.key() < y.key(); }

  // ---- Money
  bool alive(int who) const {
    const int reserved = who <= kB ? held[at(who)] : 0;
    return free[at(who)] + reserved > 0;
  }
  int spendable(int who) const { return std::max(0, free[at(who)] - kExistential); }
  void receive(int who, int amount) {
    if (amount == 0) return;
    const bool lost = who != kPool && !alive(who) && amount < kExistential;
    free[at(lost ? kPool : who)] += amount;
  }
  void hold(int who, int amount) {
    free[at(who)] -= amount;
    held[at(who)] += amount;
    held_used = held_used || amount > 0;
  }
  // From a channel to one of its sides: its own part first.
  void pay_side(Chan& c, int side, int amount) {
    for (const int from : {side, other(side)}) {
      const int part = std::min(c.held[at(from)], amount);
      c.held[at(from)] -= part;
      held[at(from)] -= part;
      amount -= part;
      receive(side, part);
    }
  }
  // From a channel to somebody else; nobody: burned.
  void pay_out(Chan& c, int first, int to, int amount) {
    for (const int from : {first, other(first)}) {
      const int part = std::min(c.held[at(from)], amount);
      c.held[at(from)] -= part;
      held[at(from)] -= part;
      amount -= part;
      if (to < 0) {
        issued -= part;
      } else {
        receive(to, part);
      }
    }
  }

  // ---- What the rules say
  static int stretched(int period, int stretch) { return period * stretch / 1'000; }
  static int last_moment(const Quarrel& q, int stretch) {
    return std::max(q.deadline, q.started + stretched(q.period, stretch));
  }
  static bool proves(int side, int claimed, const Step& w) {
    const int proposer = w.version % 2 == 1 ? kA : kB;
    return proposer != side || w.acked > claimed;
  }
  static int fee_of(const Chan& c, int b) { return std::abs(b - c.base_b) * kHalf / 1'000; }
  static int gainer(const Chan& c, int b) { return b < c.base_b ? kA : kB; }

  void divide(int id, const Place& state, bool penalties) {
    Chan& c = channels[at(id)];
    const std::optional<Quarrel> q = c.quarrel;
    std::array<int, 2> left{state.a, state.b};
    const auto take = [&](int side, int wanted) {
      const int taken = std::min(left[at(side)], wanted);
      left[at(side)] -= taken;
      return taken;
    };
    const int fee = take(gainer(c, state.b), fee_of(c, state.b));
    int fees = 0;
    if (q) fees = take(kA, q->owed[0]) + take(kB, q->owed[1]);
    std::array<int, 2> to_tower{};
    if (q && penalties) {
      if (q->requester >= 0 && q->request_refuted) {
        const int penalty = std::min(state.of(q->requester) * kHalf / 1'000, kPenaltyMax);
        left[at(other(q->requester))] += take(q->requester, penalty);
      }
      const std::array<int, 2> whole = left;
      for (const int side : {kA, kB}) {
        if (q->fraud[at(side)] == Mark::none) continue;
        if (q->fraud[at(side)] == Mark::proved_by_tower) {
          to_tower[at(side)] = whole[at(side)] * kHalf / 1'000;
        }
        left[at(side)] -= whole[at(side)];
        left[at(other(side))] += whole[at(side)] - to_tower[at(side)];
      }
    }
    ended[at(id)] = Ended{state, left, q ? q->fraud : std::array<Mark, 2>{}};
    pay_side(c, kA, left[0]);
    pay_side(c, kB, left[1]);
    for (const int side : {kA, kB}) pay_out(c, side, kT, to_tower[at(side)]);
    pay_out(c, kA, -1, fee / 2);
    pay_out(c, kA, kPool, fee - fee / 2);
    pay_out(c, kA, -1, fees / 2);
    pay_out(c, kA, kT, fees - fees / 2);
    c = Chan{};
  }

  void await(int id, int deadline) {
    if (queue.empty() || deadline < queue_next) queue_next = deadline;
    queue[deadline].push_back(id);
    queue_used = true;
  }
  void next_block(int stretch) {
    ++now;
    ++number;
    for (int done = 0; done < rules.settlements_max && !queue.empty(); ++done) {
      const int first = queue.begin()->first;
      if (queue_next <= now) queue_next = std::min(first, now + 1);
      if (first > now) return;
      const int id = queue[first].back();
      queue[first].pop_back();
      if (queue[first].empty()) queue.erase(first);
      Chan& c = channels[at(id)];
      if (c.stage == Stage::none) continue;
      const int deadline = last_moment(*c.quarrel, stretch);
      if (deadline <= now) {
        divide(id, c.quarrel->standing, true);
      } else {
        c.quarrel->deadline = deadline;
        await(id, deadline);
      }
    }
  }

  // ---- The calls: what they refuse, and what they do
  static void check_state(const Chan& c, const Step& s, Why& why) {
    why.add(s.a + s.b != c.locked(), Error::wrong_sum);
    why.add(s.version <= c.floor.version, Error::version_not_above_floor);
    why.add(s.acked >= s.version, Error::acked_not_below_version);
    why.add(s.forged_a, Error::bad_signature_a);
    why.add(s.forged_b, Error::bad_signature_b);
  }
  std::string open(const Step& s) {
    Why why;
    int mine = 0;
    for (const Chan& c : channels) mine += c.stage == Stage::none ? 0 : 1;
    why.add(s.a + s.b < kDepositMin, Error::deposit_too_small);
    why.add(mine >= kOpenMax, Error::too_many_channels);
    why.add(s.consent == Consent::expired, Error::expired);
    why.add(s.consent == Consent::expired || s.consent == Consent::forged, Error::bad_signature_b);
    if (!why.reasons.empty()) return why.first();
    const bool at_once = s.consent != Consent::none || s.b == 0;
    if (s.a > 0 && spendable(kA) < s.a) return "Credits.0";
    if (at_once && s.b > 0 && spendable(kB) < s.b) return "Credits.0";
    hold(kA, s.a);
    if (at_once) hold(kB, s.b);
    channels[at(opened)] = {
        at_once ? Stage::open : Stage::pending, {s.a, s.b}, s.b, number, {0, s.a, s.b}, {}};
    ++opened;
    locked_used = true;
    return "applied";
  }
  std::string accept(Chan& c, const Step& s) {
    Why why;
    why.add(c.stage != Stage::pending, Error::wrong_phase);
    why.add(s.who != kB, Error::not_a_participant);
    if (!why.reasons.empty()) return why.first();
    if (spendable(kB) < c.held[1]) return "Credits.0";
    hold(kB, c.held[1]);
    c.stage = Stage::open;
    return "applied";
  }
  std::string cancel(Chan& c, const Step& s) {
    Why why;
    why.add(c.stage != Stage::pending, Error::wrong_phase);
    why.add(s.who != kA, Error::not_a_participant);
    if (!why.reasons.empty()) return why.first();
    c.held[1] = 0;
    pay_side(c, kA, c.held[0]);
    c = Chan{};
    return "applied";
  }
  std::string close(Chan& c, const Step& s) {
    Why why;
    why.add(c.stage == Stage::pending, Error::wrong_phase);
    check_state(c, s, why);
    if (!why.reasons.empty()) return why.first();
    divide(s.channel, {s.version, s.a, s.b}, false);
    return "applied";
  }
  void quarrel(Chan& c, const Quarrel& q, int id) {
    c.stage = Stage::challenge;
    c.quarrel = q;
    await(id, q.deadline);
  }
  std::string claim(Chan& c, const Step& s) {
    Why why;
    why.add(c.stage == Stage::pending, Error::wrong_phase);
    why.add(s.who > kB, Error::not_a_participant);
    if (c.stage == Stage::challenge && why.reasons.empty()) {
      // One that brings nothing is told so, whatever the time is.
      if (s.kind == Kind::claim_floor) return "nothing_claimed";
      return refute(c, s);
    }
    if (s.kind == Kind::claim) check_state(c, s, why);
    if (!why.reasons.empty()) return why.first();
    Quarrel q;
    q.standing = s.kind == Kind::claim ? Place{s.version, s.a, s.b} : c.floor;
    q.started = now;
    q.period = rules.period;
    q.deadline = now + stretched(q.period, s.stretch);
    q.posted[at(s.who)] = q.standing.version;
    quarrel(c, q, s.channel);
    return "applied";
  }
  std::string request(Chan& c, const Step& s) {
    Why why;
    why.add(c.stage != Stage::open, Error::wrong_phase);
    why.add(s.who > kB, Error::not_a_participant);
    if (!why.reasons.empty()) return why.first();
    Quarrel q;
    q.standing = c.floor;
    q.started = now;
    q.period = rules.period * kRequestFactor;
    q.deadline = now + stretched(q.period, s.stretch);
    q.requester = s.who;
    quarrel(c, q, s.channel);
    return "applied";
  }
  std::string refute(Chan& c, const Step& s) {
    Why why;
    why.add(c.stage != Stage::challenge, Error::wrong_phase);
    if (c.quarrel) {
      why.add(now >= last_moment(*c.quarrel, s.stretch), Error::deadline_passed);
      why.add(c.quarrel->refuted_in == number, Error::refuted_in_this_block);
      why.add(s.version <= c.quarrel->standing.version, Error::version_not_above_standing);
    }
    check_state(c, s, why);
    if (!why.reasons.empty()) return why.first();
    Quarrel& q = *c.quarrel;
    bool proved_the_others = false;
    for (const int side : {kA, kB}) {
      if (q.posted[at(side)] < 0 || !proves(side, q.posted[at(side)], s)) continue;
      if (s.who == other(side)) proved_the_others = true;
      if (q.fraud[at(side)] != Mark::none) continue;
      const bool tower = s.who == kT && s.appointed_by == other(side);
      q.fraud[at(side)] = tower ? Mark::proved_by_tower : Mark::proved;
    }
    if (q.requester >= 0 && proves(q.requester, c.floor.version, s)) q.request_refuted = true;
    const bool clean = s.who <= kB && q.fraud[at(s.who)] == Mark::none;
    if (s.who <= kB) q.posted[at(s.who)] = s.version;
    q.standing = {s.version, s.a, s.b};
    q.refuted_in = number;
    const int wanted = std::min(now + stretched(q.period / 2, s.stretch),
                                q.started + stretched(2 * q.period, s.stretch));
    q.deadline = std::max(q.deadline, wanted);
    if (proved_the_others && clean) divide(s.channel, q.standing, true);
    return "applied";
  }
  std::string refute_owing(Chan& c, const Step& s) {
    constexpr int kFee = 1;
    const bool known = c.quarrel && s.who <= kB;
    if (!known || c.quarrel->owed[at(s.who)] + kFee > Place{0, s.a, s.b}.of(s.who))
      return "payment";
    // What it owes is for the state that stands.
    const bool unanswered = c.quarrel->posted[at(s.who)] == c.quarrel->standing.version;
    if (c.quarrel->owed[at(s.who)] > 0 && unanswered) return "payment";
    Model next = *this;
    // The fee is there before the refutation that may end the channel.
    next.channels[at(s.channel)].quarrel->owed[at(s.who)] += kFee;
    if (next.refute(next.channels[at(s.channel)], s) != "applied") return "payment";
    *this = next;
    return "applied";
  }
  std::string splice(Chan& c, const Step& s) {
    Why why;
    why.add(c.stage != Stage::open, Error::wrong_phase);
    why.add(s.who > kB, Error::not_a_participant);
    Chan after = c;
    after.base_b += s.delta_b;
    const int locked = c.locked() + s.delta_a + s.delta_b;
    why.add(locked < kDepositMin, Error::deposit_too_small);
    why.add(s.expired, Error::expired);
    why.add(s.a + s.b != locked, Error::wrong_sum);
    why.add(s.version <= c.floor.version, Error::version_not_above_floor);
    why.add(s.acked >= s.version, Error::acked_not_below_version);
    const int fee = fee_of(after, s.b);
    why.add(Place{0, s.a, s.b}.of(gainer(after, s.b)) < fee, Error::fee_not_covered);
    why.add(s.forged_a, Error::bad_signature_a);
    why.add(s.forged_b, Error::bad_signature_b);
    if (!why.reasons.empty()) return why.first();
    const std::array<int, 2> deltas{s.delta_a, s.delta_b};
    for (const int side : {kA, kB}) {
      if (deltas[at(side)] > 0 && spendable(side) < deltas[at(side)]) return "Credits.0";
    }
    after.floor = {s.version, s.a, s.b};
    for (const int side : {kA, kB}) {
      if (deltas[at(side)] <= 0) continue;
      hold(side, deltas[at(side)]);
      after.held[at(side)] += deltas[at(side)];
    }
    for (const int side : {kA, kB}) pay_side(after, side, std::max(0, -deltas[at(side)]));
    c = after;
    return "applied";
  }
  std::string settle(const Chan& c, const Step& s) {
    Why why;
    why.add(c.stage != Stage::challenge, Error::wrong_phase);
    why.add(c.quarrel && now < last_moment(*c.quarrel, s.stretch), Error::deadline_not_reached);
    if (!why.reasons.empty()) return why.first();
    divide(s.channel, c.quarrel->standing, true);
    return "applied";
  }

  std::string apply(const Step& s) {
    if (s.kind == Kind::open) return open(s);
    if (s.kind == Kind::tick) return next_block(s.stretch), "applied";
    Chan& c = channels[at(s.channel)];
    if (c.stage == Stage::none) return s.kind == Kind::refute_owing ? "payment" : "unknown_channel";
    if (s.kind == Kind::accept) return accept(c, s);
    if (s.kind == Kind::cancel) return cancel(c, s);
    if (s.kind == Kind::close) return close(c, s);
    if (s.kind == Kind::claim || s.kind == Kind::claim_floor) return claim(c, s);
    if (s.kind == Kind::request) return request(c, s);
    if (s.kind == Kind::refute) return refute(c, s);
    if (s.kind == Kind::refute_owing) return refute_owing(c, s);
    if (s.kind == Kind::splice) return splice(c, s);
    return settle(c, s);
  }

  // The same state at the same moment: only how long ago things were counts.
  void rebase() {
    const int by = now - kNow;
    for (Chan& c : channels) {
      c.opened_in = 0;
      if (!c.quarrel) continue;
      c.quarrel->started -= by;
      c.quarrel->deadline -= by;
      if (c.quarrel->refuted_in >= 0 && number != kNumber) c.quarrel->refuted_in = 0;
    }
    std::map<int, std::vector<int>> moved;
    for (auto& [bucket, ids] : queue) moved[bucket - by] = std::move(ids);
    queue = std::move(moved);
    queue_next = queue.empty() ? 0 : queue_next - by;
    now = kNow;
    number = kNumber;
  }
  // What is wrong with a state, by itself.
  std::string wrong() const {
    int all = held[0] + held[1];
    for (const int amount : free) all += amount;
    if (all != issued) return "the balances are not the issuance";
    std::array<int, 2> in_channels{};
    for (const Chan& c : channels) {
      if (c.stage == Stage::none) continue;
      in_channels[0] += c.held[0];
      if (c.stage != Stage::pending) in_channels[1] += c.held[1];
      if (c.floor.a + c.floor.b != c.held[0] + c.held[1]) return "a floor does not add up";
      if (!c.quarrel) continue;
      const Place& standing = c.quarrel->standing;
      if (standing.a + standing.b != c.locked()) return "what stands does not add up";
      if (standing.version < c.floor.version) return "what stands is below the floor";
    }
    if (in_channels != held) return "what is held is not what the channels hold";
    for (const auto& end : ended) {
      if (end && end->paid[0] + end->paid[1] > end->state.a + end->state.b) {
        return "more was paid than there was";
      }
    }
    return {};
  }
};

}  // namespace tally::channels::small
