#include "tests/sim/bias.hpp"

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "modules/validators/draw_window.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/sim/random.hpp"

namespace tally::sim {
namespace {

ValidatorSet equals(std::size_t count) {
  ValidatorSet set;
  for (std::size_t i = 0; i < count; ++i) {
    const Hash name = blake2_256(encode(std::uint64_t{i}));
    TALLY_ASSERT(set.members.push_back(
        {*Ed25519Key::from(name), *VrfKey::from(name), *AccountId::from(name), 1}));
  }
  return set;
}

// One draw, asked for in the block of view `asked_`.
class Draw {
 public:
  Draw(const BiasGame& game, const ValidatorSet& set, Random& random)
      : game_(game),
        set_(set),
        secret_(blake2_256(encode(random.next()))),
        leaders_(set, secret_),
        asked_(random.between(1, game.validators)) {
    while (faulty_.size() < game.faulty) faulty_.insert(random.below(game.validators));
  }

  struct Outcome {
    bool won = false;
    std::size_t withheld = 0;
    std::size_t bits = 0;
  };

  Outcome play() {
    Outcome out;
    State at{asked_ + 1, {}, {}};
    at.window = with_block(at.window, asked_);
    at.beacon = secret_;
    for (;;) {
      if (!is_faulty(at.view)) {
        publish(at);
        if (fixed(at)) break;
        continue;
      }
      const Line line = best_line(at);
      for (const bool shown : line.shown) {
        out.withheld += shown ? 0 : 1;
        if (shown) {
          publish(at);
        } else {
          at.view += 1;
        }
        if (fixed(at)) break;
      }
      if (fixed(at)) break;
    }
    out.won = wanted(at.beacon);
    out.bits = bits_when_honest();
    return out;
  }

 private:
  struct State {
    std::uint64_t view{};
    validators::DrawWindow window;
    Hash beacon;
  };
  // What a coalition does with its next views in a row, and what that is worth to it.
  struct Line {
    std::vector<bool> shown;
    double worth = -1;
  };

  bool is_faulty(std::uint64_t view) { return faulty_.contains(leaders_.leader(View(view)).value); }
  bool fixed(const State& at) const { return at.window.ready.value >= asked_; }
  bool wanted(const Hash& beacon) const {
    const Hash result = blake2_256({as_bytes("draw"), beacon});
    const std::uint64_t value = *decode<std::uint64_t>(result.view().first(8));
    return static_cast<double>(value) < game_.probability * std::ldexp(1.0, 64);
  }
  // A block's number is its view here: only their order counts.
  validators::DrawWindow with_block(const validators::DrawWindow& window, std::uint64_t view) {
    const Validator& leader = set_.at(leaders_.leader(View(view)));
    return validators::advance(window, {{BlockNumber(static_cast<std::uint32_t>(view)), Epoch(1),
                                         view, leader.account, leader.weight},
                                        set_});
  }
  void publish(State& at) {
    at.window = with_block(at.window, at.view);
    const VrfOutput output = *VrfOutput::from(wide(blake2_256({secret_, encode(at.view)})));
    at.beacon = validators::fold_beacon(at.beacon, output);
    at.view += 1;
  }
  static Bytes wide(const Hash& hash) {
    Bytes out = to_bytes(hash);
    append(out, hash);
    return out;
  }

  // Every line of the run, each with its own result, which the coalition knows beforehand.
  Line best_line(const State& at) {
    Line best;
    std::vector<bool> shown;
    extend(at, shown, best);
    return best;
  }
  void extend(const State& at, std::vector<bool>& shown, Line& best) {
    if (!shown.empty() && (fixed(at) || !is_faulty(at.view))) {
      const double worth = fixed(at) ? (wanted(at.beacon) ? 1.0 : 0.0) : hope(at);
      if (worth > best.worth) best = {shown, worth};
      return;
    }
    for (const bool show : {true, false}) {
      State next = at;
      if (show) {
        publish(next);
      } else {
        next.view += 1;
      }
      shown.push_back(show);
      extend(next, shown, best);
      shown.pop_back();
    }
  }

  // The chance to win from here while an honest leader's output is still to come.
  double hope(const State& at) {
    const auto known = hopes_.find({at.view, leaders_in(at)});
    if (known != hopes_.end()) return known->second;
    State next = at;
    publish(next);
    double chance = game_.probability;
    if (!fixed(next)) {
      chance = is_faulty(next.view) ? hope_of_run(next) : hope(next);
    }
    hopes_[{at.view, leaders_in(at)}] = chance;
    return chance;
  }
  double hope_of_run(const State& at) {
    std::size_t results = 0;
    double otherwise = 0;
    count_run(at, results, otherwise);
    const double missed = std::pow(1 - game_.probability, static_cast<double>(results));
    return 1 - missed + missed * otherwise;
  }
  void count_run(const State& at, std::size_t& results, double& otherwise) {
    if (fixed(at)) {
      results += 1;
      return;
    }
    if (!is_faulty(at.view)) {
      otherwise = std::max(otherwise, hope(at));
      return;
    }
    for (const bool show : {true, false}) {
      State next = at;
      if (show) {
        publish(next);
      } else {
        next.view += 1;
      }
      count_run(next, results, otherwise);
    }
  }
  static std::set<AccountId> leaders_in(const State& at) {
    std::set<AccountId> out;
    for (const auto& block : at.window.blocks) out.insert(block.leader);
    return out;
  }

  std::size_t bits_when_honest() {
    State at{asked_ + 1, {}, secret_};
    at.window = with_block(at.window, asked_);
    std::size_t bits = 0;
    while (!fixed(at)) {
      bits = is_faulty(at.view) ? bits + 1 : 0;
      publish(at);
    }
    return bits;
  }

  const BiasGame& game_;
  const ValidatorSet& set_;
  Hash secret_;
  LeaderSchedule leaders_;
  std::uint64_t asked_;
  std::set<std::size_t> faulty_;
  std::map<std::pair<std::uint64_t, std::set<AccountId>>, double> hopes_;
};

double formula(const BiasGame& game) {
  const double share = static_cast<double>(game.faulty) / static_cast<double>(game.validators);
  double sum = 0;
  for (int k = 0; k < 40; ++k) {
    const double values = std::ldexp(1.0, k);
    sum += std::pow(share, k) * (1 - share) * (1 - std::pow(1 - game.probability, values));
  }
  return sum;
}

}  // namespace

Bias measure_bias(const BiasGame& game, std::size_t draws, std::uint64_t seed) {
  const ValidatorSet set = equals(game.validators);
  Random random(seed, "bias");
  Bias out;
  for (std::size_t i = 0; i < draws; ++i) {
    const Draw::Outcome one = Draw(game, set, random).play();
    out.won += one.won ? 1 : 0;
    out.withheld += static_cast<double>(one.withheld);
    out.bits += static_cast<double>(one.bits);
  }
  const auto count = static_cast<double>(draws);
  out.won /= count;
  out.withheld /= count;
  out.bits /= count;
  const double share = static_cast<double>(game.faulty) / static_cast<double>(game.validators);
  out.won_formula = formula(game);
  out.bits_formula = share / (1 - share);
  return out;
}

}  // namespace tally::sim
