// Every state that channels of a few µCC, versions and milliseconds can get into, by any sequence
// of calls of any length, and in each of them every call: the module does what the model of plain
// integers says, which is the same refusal, or the same storage, byte for byte. So in each state
// the credits add up, what is held is what the channels hold, and every reason has its turn.
//
// Broken on purpose, each fails here: a refutation or a settlement a millisecond off its deadline,
// a second refutation in a block, a deadline that stays, `acked` not looked at, a cheater that ends
// a channel, a forfeit given back, a penalty without its bound, a splice that leaves no fee or the
// old base, a floor that still counts, the other side's hold taken first, more of the fee burned,
// an opener's count or the locked sum that stays, a consent past its block.
#include <catch2/catch.hpp>

#include "modules/channels/small_world_test.hpp"

namespace tally {

// In place of verify_offchain() in tally_channels_sealed.
Result<void, SignatureError> verify_sealed(const AccountId& account, ByteView message,
                                           const MultiSignature& signature) {
  Bytes all = to_bytes(account);
  append(all, message);
  const Hash hash = blake2_256(all);
  const auto* sealed = std::get_if<SignedEd25519>(&signature);
  if (sealed == nullptr ||
      !std::equal(hash.bytes.begin(), hash.bytes.end(), sealed->signature.bytes.begin())) {
    return fail(SignatureError::bad_signature);
  }
  return {};
}

}  // namespace tally

namespace tally::channels::small {
namespace {

struct Explored {
  std::size_t states = 0;
  std::size_t steps = 0;
  std::map<std::string, std::size_t> verdicts;
  std::string wrong;
};

// What `steps` says can be done in a state.
template <class Steps>
Explored explore(const Model& genesis, const Steps& steps) {
  Explored out;
  std::set<Model> seen{genesis};
  std::deque<Model> open{genesis};
  while (!open.empty() && out.wrong.empty()) {
    const Model here = std::move(open.front());
    open.pop_front();
    ++out.states;
    const MapState before(storage_of(here));
    for (const Step& step : steps(here)) {
      Model next = here;
      std::string verdict;
      out.wrong = take(before, next, step, verdict);
      ++out.verdicts[verdict];
      ++out.steps;
      if (!out.wrong.empty()) break;
      next.rebase();
      next.ended = {};  // not part of the chain's state
      if (seen.insert(next).second) open.push_back(std::move(next));
    }
  }
  return out;
}

Model genesis(const std::array<int, 4>& free, const Rules& rules = {}) {
  Model out;
  out.rules = rules;
  out.free = free;
  for (const int amount : free) out.issued += amount;
  return out;
}

void check(const Explored& found, const std::vector<const char*>& verdicts) {
  INFO(found.states << " states, " << found.steps << " steps");
  CHECK(found.wrong == "");
  for (const char* verdict : verdicts) {
    INFO(verdict);
    CHECK(found.verdicts.count(verdict) == 1);
  }
}

Step update(Kind kind, int version, int a, int b, int acked = 0) {
  return {.kind = kind, .version = version, .a = a, .b = b, .acked = acked};
}

// An update that is wrong in one way or in several.
void add_wrong(std::vector<Step>& out, Step step) {
  for (const unsigned ways : {1U, 2U, 4U, 8U, 12U, 14U, 15U}) {
    Step wrong = step;
    if (ways & 1) wrong.a += 1;
    if (ways & 2) wrong.acked = wrong.version;
    wrong.forged_a = (ways & 4) != 0;
    wrong.forged_b = (ways & 8) != 0;
    out.push_back(wrong);
  }
}

// A channel of 3 and 1: three versions, of which two in two ways, by everybody who can post them.
std::vector<Step> quarrel_steps(const Model&) {
  static const std::vector<Step> all = [] {
    std::vector<Step> out{{.kind = Kind::tick}};
    for (const int who : {kA, kB, kT}) {
      for (const Kind kind : {Kind::claim_floor, Kind::request, Kind::settle}) {
        out.push_back({.kind = kind, .who = who});
      }
      for (const Step& known : {update(Kind::claim, 1, 2, 2), update(Kind::claim, 2, 4, 0),
                                update(Kind::claim, 2, 1, 3, 1), update(Kind::claim, 3, 0, 4),
                                update(Kind::claim, 3, 2, 2, 2)}) {
        Step step = known;
        step.who = who;
        out.push_back(step);
        step.kind = Kind::refute;
        for (const int by : {-1, kA, kB}) {
          step.appointed_by = by;
          if (by < 0 || who == kT) out.push_back(step);
        }
        step.kind = Kind::close;
        step.appointed_by = -1;
        if (who == kT) out.push_back(step);
      }
    }
    for (int version = 0; version <= 2; ++version) {
      add_wrong(out, {.kind = Kind::claim, .who = kA, .version = version, .a = 2, .b = 2});
      add_wrong(out, {.kind = Kind::refute, .who = kT, .version = version, .a = 2, .b = 2});
      add_wrong(out, {.kind = Kind::close, .who = kT, .version = version, .a = 2, .b = 2});
    }
    return out;
  }();
  return all;
}

// The same channel, shorter quarrels, and credits that come and go.
void add_splices(std::vector<Step>& out, const Step& splice, int locked) {
  for (const int delta_a : {-1, 0, 2}) {
    for (const int delta_b : {-2, 0, 1}) {
      const int after = locked + delta_a + delta_b;
      for (const int b : {0, 1, after}) {
        Step step = splice;
        step.a = after - b;
        step.b = b;
        step.delta_a = delta_a;
        step.delta_b = delta_b;
        if (step.a < 0 || (b == 1 && delta_a == 0)) continue;
        out.push_back(step);
        if (b != 1 || delta_a != 2 || delta_b != 1) continue;
        add_wrong(out, step);
        step.expired = true;
        out.push_back(step);
        add_wrong(out, step);
      }
    }
  }
}

std::vector<Step> splice_steps(const Model& here) {
  const int locked = here.channels[0].locked();
  std::vector<Step> out{{.kind = Kind::tick},
                        {.kind = Kind::splice, .who = kT, .version = 2, .b = locked},
                        {.kind = Kind::close, .who = kT, .version = 2, .a = 1, .b = locked - 1}};
  for (const int who : {kA, kB}) {
    out.push_back({.kind = Kind::claim_floor, .who = who});
    for (int version = 1; version <= 2; ++version) {
      add_splices(out, {.kind = Kind::splice, .who = who, .version = version}, locked);
      for (const int b : {0, locked}) {
        out.push_back(
            {.kind = Kind::claim, .who = who, .version = version, .a = locked - b, .b = b});
      }
    }
  }
  return out;
}

// Two channels from nothing, with every way to open one; a block settles only one of them.
std::vector<Step> two_channel_steps(const Model& here) {
  std::vector<Step> out{{.kind = Kind::tick}};
  for (const Consent consent : {Consent::none, Consent::good, Consent::expired, Consent::forged}) {
    for (const int a : {0, 1, 3}) {
      for (const int b : {0, 2}) {
        const bool odd = a == 1 || (a == 0 && here.opened == 1);
        if (here.opened == 2 || (odd && b == 2)) continue;
        out.push_back({.kind = Kind::open, .who = kA, .a = a, .b = b, .consent = consent});
      }
    }
  }
  for (int channel = 0; channel < 2; ++channel) {
    const int locked = here.channels[at(channel)].locked();
    for (const int who : {kA, kB, kT}) {
      out.push_back({.kind = Kind::accept, .who = who, .channel = channel});
      out.push_back({.kind = Kind::cancel, .who = who, .channel = channel});
    }
    out.push_back({.kind = Kind::request, .who = kA, .channel = channel});
    out.push_back({.kind = Kind::claim_floor, .who = kB, .channel = channel});
    out.push_back({.kind = Kind::settle, .who = kT, .channel = channel});
    Step step{.kind = Kind::claim, .who = kB, .channel = channel, .version = 1};
    step.b = locked;
    out.push_back(step);
    step.kind = Kind::close;
    out.push_back(step);
    step.kind = Kind::refute;
    step.version = 2;
    out.push_back(step);
  }
  return out;
}

// A lane that fills up and empties again, and refuters that owe their fee.
std::vector<Step> busy_steps(const Model&) {
  static const std::vector<Step> all = [] {
    std::vector<Step> out;
    for (const int stretch : {1'000, 2'000}) {
      out.push_back({.kind = Kind::tick, .stretch = stretch});
      for (const int who : {kA, kB}) {
        out.push_back({.kind = Kind::claim_floor, .who = who, .stretch = stretch});
        out.push_back({.kind = Kind::request, .who = who, .stretch = stretch});
        for (const Step& known :
             {update(Kind::refute, 1, 2, 2), update(Kind::refute, 2, 1, 3, 1)}) {
          for (const Kind kind : {Kind::refute, Kind::refute_owing, Kind::close}) {
            Step step = known;
            step.kind = kind;
            step.who = who;
            step.stretch = stretch;
            out.push_back(step);
          }
        }
      }
      out.push_back({.kind = Kind::settle, .who = kT, .stretch = stretch});
    }
    return out;
  }();
  return all;
}

// After `open` in a fresh world.
Model opened(Model model, int a, int b) {
  const Step open{.kind = Kind::open, .who = kA, .a = a, .b = b, .consent = Consent::good};
  REQUIRE(model.apply(open) == "applied");
  model.rebase();
  return model;
}

}  // namespace

TEST_CASE("every state of one channel in quarrel, and every call") {
  const Explored found = explore(opened(genesis({5, 3, 4, 0}), 3, 1), quarrel_steps);
  check(found, {"applied", "unknown_channel", "wrong_phase", "not_a_participant",
                "deadline_not_reached", "refuted_in_this_block", "nothing_claimed", "wrong_sum",
                "version_not_above_floor", "version_not_above_standing", "acked_not_below_version",
                "bad_signature_a", "bad_signature_b"});
  CHECK(found.states > 1'000);
}

TEST_CASE("every state of one channel whose credits come and go, and every call") {
  const Explored found = explore(opened(genesis({7, 4, 4, 0}), 3, 1), splice_steps);
  check(found, {"applied", "deposit_too_small", "expired", "wrong_sum", "fee_not_covered",
                "bad_signature_a", "bad_signature_b", "version_not_above_floor", "Credits.0"});
  CHECK(found.states > 500);
}

// B has no account in the second world: what it is paid must be enough to begin one.
TEST_CASE("every state of two channels from nothing, and every call") {
  const int of_b = GENERATE(4, 0);
  const Explored found =
      explore(genesis({8, of_b, 4, 0}, {.settlements_max = 1}), two_channel_steps);
  check(found,
        {"applied", "unknown_channel", "wrong_phase", "not_a_participant", "deposit_too_small",
         "expired", "bad_signature_b", "deadline_passed", "deadline_not_reached", "Credits.0"});
  CHECK(found.states > 1'000);
}

TEST_CASE("every state of one channel in a lane that fills up, and every call") {
  const Explored found = explore(opened(genesis({5, 3, 4, 0}), 3, 1), busy_steps);
  check(found, {"applied", "payment", "deadline_not_reached", "refuted_in_this_block"});
  CHECK(found.states > 500);
}

}  // namespace tally::channels::small
