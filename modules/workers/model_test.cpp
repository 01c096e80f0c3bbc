// The module against a model of plain integers: random sequences of every call and of every act of
// a sibling. After each step both agree on whether it was refused and on everybody's money.
//
// Two bystanders sign nothing, although others name them wherever an account can be named: they
// never lose anything. Whoever delegates loses by council slashes alone. It fails when frozen stake
// can be withdrawn (withdraw_own), when a slash is owed more than is frozen (take_frozen), and when
// an award leaves Staked as it was (pay_from_frozen).
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <string>

#include "modules/workers/fixture_test.hpp"

namespace tally::workers {
namespace {

constexpr int kAccounts = 6;  // 0, 1 workers; 2, 3 delegators; 4, 5 bystanders
constexpr int kSigners = 4;
constexpr std::int64_t kEach = 1'000;
constexpr std::int64_t kDeposit = 10;  // existential
constexpr std::int64_t kStakeMin = 40;
constexpr std::int64_t kDelegationMin = 5;
constexpr std::int64_t kUnbonding = 50;
constexpr std::int64_t kVesting = 64;  // in steps of 2
constexpr std::int64_t kBeat = 200;
constexpr std::array<std::int64_t, 6> kPercent{1, 10, 10, 50, 100, 100};

AccountId account_of(int number) {
  return test_account(static_cast<std::uint8_t>(number + 1));
}

FixtureOptions model_options() {
  FixtureOptions options;
  options.accounts = kAccounts;
  options.endowment = Balance(kEach);
  options.pool = Balance(30);
  options.council = {*BoundedVec<AccountId, kMaxCouncil>::from({account_of(3)}), 1};
  Config& config = options.config;
  config.stake_min = Balance(kStakeMin);
  config.delegation_min = Balance(kDelegationMin);
  config.unbonding = DurationMs(kUnbonding);
  config.reward_vesting = DurationMs(kVesting);
  config.heartbeat_interval = DurationMs(kBeat);
  config.task_turnover = Balance(10);
  config.partner_max = 7;
  return options;
}

using Parts = std::map<std::int64_t, std::int64_t>;  // until → amount

std::int64_t sum_of(const Parts& parts) {
  std::int64_t sum = 0;
  for (const auto& [until, amount] : parts) sum += amount;
  return sum;
}

struct ModelStake {
  std::int64_t bonded = 0;
  Parts unbonding;

  std::int64_t total() const { return bonded + sum_of(unbonding); }
  void take(std::int64_t amount) {
    const std::int64_t first = std::min(bonded, amount);
    bonded -= first;
    amount -= first;
    while (amount > 0) {
      const auto soonest = unbonding.begin();
      const std::int64_t part = std::min(soonest->second, amount);
      amount -= part;
      soonest->second -= part;
      if (soonest->second == 0) unbonding.erase(soonest);
    }
  }
  std::int64_t take_due(std::int64_t now, std::int64_t limit) {
    std::int64_t taken = 0;
    while (!unbonding.empty() && unbonding.begin()->first <= now && taken < limit) {
      const auto soonest = unbonding.begin();
      const std::int64_t part = std::min(soonest->second, limit - taken);
      taken += part;
      soonest->second -= part;
      if (soonest->second == 0) unbonding.erase(soonest);
    }
    return taken;
  }
};

struct ModelWorker {
  bool known = false;
  bool registered = false;
  ModelStake own;
  std::int64_t frozen = 0;
  std::int64_t due = 0;
  std::int64_t banned_until = 0;
  std::int64_t done = 0;
  std::int64_t last_beat = -1;
  Parts rewards;
  std::map<int, std::int64_t> partners;
};

// What a step does, in a few lines each. Money is free[] and what is staked; `pool` and `burned`
// are where the rest is.
struct Model {
  std::int64_t now = 0;
  std::int64_t pool = 30;
  std::int64_t burned = 0;
  std::array<std::int64_t, kAccounts> free{kEach, kEach, kEach, kEach, kEach, kEach};
  std::array<ModelWorker, kAccounts> workers;
  std::map<std::pair<int, int>, ModelStake> delegations;  // worker, delegator

  bool banned(int w) const { return now < workers[w].banned_until; }
  bool hold(int who, std::int64_t amount) {
    if (free[who] - amount < kDeposit) return false;
    free[who] -= amount;
    return true;
  }
  bool pay_rewards(int w) {
    ModelWorker& worker = workers[w];
    std::int64_t vested = 0;
    for (const auto& [end, amount] : worker.rewards) vested += end <= now ? amount : 0;
    std::int64_t paid = std::min(vested, pool);
    if (paid == 0) return false;
    pool -= paid;
    free[w] += paid;
    while (paid > 0) {
      const auto first = worker.rewards.begin();
      const std::int64_t part = std::min(first->second, paid);
      paid -= part;
      first->second -= part;
      if (first->second == 0) worker.rewards.erase(first);
    }
    return true;
  }
  void lose_rewards(int w) {
    std::erase_if(workers[w].rewards, [&](auto& r) { return r.first > now; });
  }

  bool join(int who, std::int64_t stake) {
    ModelWorker& worker = workers[who];
    if (worker.registered || banned(who) || worker.own.bonded + stake < kStakeMin) return false;
    if (!hold(who, stake)) return false;
    worker.known = worker.registered = true;
    worker.own.bonded += stake;
    worker.last_beat = now / kBeat;
    return true;
  }
  bool unstake(int who, std::int64_t amount, bool all) {
    ModelWorker& worker = workers[who];
    if (!worker.registered || banned(who)) return false;
    if (all) amount = worker.own.bonded;
    if (!all && (amount == 0 || worker.own.bonded - amount < kStakeMin)) return false;
    if (amount > 0) {
      if (!room(worker.own)) return false;
      worker.own.bonded -= amount;
      worker.own.unbonding[now + kUnbonding] += amount;
    }
    if (all) worker.registered = false;
    return true;
  }
  bool room(const ModelStake& stake) const {
    return stake.unbonding.size() < kMaxUnbonding || stake.unbonding.count(now + kUnbonding) == 1;
  }
  bool top_up(int who, std::int64_t amount) {
    if (!workers[who].registered || amount == 0 || !hold(who, amount)) return false;
    workers[who].own.bonded += amount;
    return true;
  }
  bool delegate(int who, int w, std::int64_t amount) {
    if (!workers[w].registered || banned(w) || who == w || amount == 0) return false;
    const auto found = delegations.find({w, who});
    const std::int64_t before = found == delegations.end() ? 0 : found->second.bonded;
    if (before + amount < kDelegationMin || !hold(who, amount)) return false;
    delegations[{w, who}].bonded += amount;
    return true;
  }
  bool undelegate(int who, int w, std::int64_t amount) {
    const auto found = delegations.find({w, who});
    if (found == delegations.end() || amount == 0) return false;
    const std::int64_t left = found->second.bonded - amount;
    if (left < 0 || (left > 0 && left < kDelegationMin) || !room(found->second)) return false;
    found->second.bonded = left;
    found->second.unbonding[now + kUnbonding] += amount;
    return true;
  }
  bool withdraw(int who, int w) {
    if (!workers[w].known) return false;
    if (who == w) {
      ModelWorker& worker = workers[w];
      if (banned(w)) return false;
      const bool rewarded = pay_rewards(w);
      const std::int64_t amount = worker.own.take_due(now, worker.own.total() - worker.frozen);
      free[w] += amount;
      return rewarded || amount > 0;
    }
    const auto found = delegations.find({w, who});
    if (found == delegations.end()) return false;
    const std::int64_t amount = found->second.take_due(now, kEach * 100);
    if (amount == 0) return false;
    free[who] += amount;
    if (found->second.total() == 0) delegations.erase(found);
    return true;
  }
  bool heartbeat(int w) {
    ModelWorker& worker = workers[w];
    if (!worker.registered || worker.last_beat == now / kBeat) return false;
    worker.last_beat = now / kBeat;
    pay_rewards(w);
    return true;
  }
  bool slash(int who, int w, int reason) {
    ModelWorker& worker = workers[w];
    if (who != 3 || !worker.known) return false;
    const std::int64_t wanted = (worker.own.total() - worker.due) * kPercent[reason] / 100;
    const std::int64_t at_once = std::min(wanted, worker.own.total() - worker.frozen);
    worker.own.take(at_once);
    worker.due += wanted - at_once;
    burned += at_once;
    for (auto& [key, stake] : delegations) {
      if (key.first != w) continue;
      const std::int64_t part = stake.total() * kPercent[reason] / 100;
      stake.take(part);
      burned += part;
    }
    std::erase_if(delegations, [](auto& entry) { return entry.second.total() == 0; });
    lose_rewards(w);
    return true;
  }
  void close(int w, int payer, std::int64_t turnover) {
    ModelWorker& worker = workers[w];
    if (!worker.registered || banned(w) || turnover == 0) return;
    const std::int64_t counted =
        std::min({turnover / 10, 7 - worker.partners[payer], std::int64_t{3}});
    worker.partners[payer] += counted;
    worker.done += counted;
    const std::int64_t reward = turnover / 4 * 9 / 10;  // the test's fee is a quarter
    if (reward > 0) worker.rewards[(now + kVesting + 1) / 2 * 2] += reward;
  }
};

// Thrown rather than asserted: a plain test and RapidCheck both take it.
void agree(bool holds, const char* what) {
  if (!holds) throw std::logic_error(std::string("the model says otherwise: ") + what);
}

struct Step {
  int kind;
  int who;
  int worker;
  int other;
  std::int64_t amount;
};

struct Run {
  Fixture real{model_options()};
  Model model;
  std::map<int, int> applied;  // by kind
  std::map<int, int> refused;

  Balance amount(const Step& step) const { return Balance(static_cast<u128>(step.amount)); }
  bool called(const Step& step, const Call& call) {
    return real.call(account_of(step.who), call) == "applied";
  }

  // True for "applied", of each.
  bool real_call(const Step& step) {
    const AccountId w = account_of(step.worker);
    const Compact<Balance> money{amount(step)};
    switch (step.kind) {
      case 0:
        return called(step, Register{profile_of(), money});
      case 1:
        return called(step, Unstake{money});
      case 2:
        return called(step, Deregister{});
      case 3:
        return called(step, TopUp{money});
      case 4:
        return called(step, Delegate{w, money});
      case 5:
        return called(step, Undelegate{w, money});
      case 6:
        return called(step, Withdraw{w});
      case 7:
        return called(step, Heartbeat{});
      default:
        return called(step, ApproveSlash{w, static_cast<SlashReason>(step.amount % 6), Hash{}});
    }
  }
  bool model_call(const Step& step) {
    switch (step.kind) {
      case 0:
        return model.join(step.who, step.amount);
      case 1:
        return model.unstake(step.who, step.amount, false);
      case 2:
        return model.unstake(step.who, 0, true);
      case 3:
        return model.top_up(step.who, step.amount);
      case 4:
        return model.delegate(step.who, step.worker, step.amount);
      case 5:
        return model.undelegate(step.who, step.worker, step.amount);
      case 6:
        return model.withdraw(step.who, step.worker);
      case 7:
        return model.heartbeat(step.who);
      default:
        return model.slash(step.who, step.worker, static_cast<int>(step.amount % 6));
    }
  }
  void sibling_act(const Step& step) {
    const AccountId w = account_of(step.worker);
    ModelWorker& worker = model.workers[step.worker];
    const std::int64_t part = std::min(step.amount, worker.frozen);
    const Balance money(static_cast<u128>(part));
    switch (step.kind) {
      case 9: {
        Balance frozen;
        real.act([&](Context& ctx) { frozen = freeze_up_to(ctx, w, amount(step)); });
        const std::int64_t expected = std::min(step.amount, worker.own.total() - worker.frozen);
        agree(frozen == Balance(static_cast<u128>(expected)), "how much froze");
        worker.frozen += expected;
        return;
      }
      case 10: {
        real.act([&](Context& ctx) { unfreeze(ctx, w, money); });
        worker.frozen -= part;
        const std::int64_t burned = std::min(worker.due, part);
        worker.due -= burned;
        worker.own.take(burned);
        model.burned += burned;
        return;
      }
      case 11:
      case 12:
        real.act([&](Context& ctx) {
          if (step.kind == 11) {
            pay_from_frozen(ctx, w, account_of(step.other), money);
          } else {
            burn_frozen(ctx, w, money);
          }
        });
        worker.frozen -= part;
        worker.own.take(part);
        worker.due = std::min(worker.due, worker.frozen);
        (step.kind == 11 ? model.free[step.other] : model.burned) += part;
        return;
      case 13:
        if (!worker.known) return;
        real.act([&](Context& ctx) {
          ban(ctx, w, DurationMs(static_cast<std::uint64_t>(step.amount)));
        });
        worker.banned_until = std::max(worker.banned_until, model.now + step.amount);
        model.lose_rewards(step.worker);
        return;
      default: {
        const ClosedChannel closed{w, account_of(step.other), 3, amount(step),
                                   Balance(static_cast<u128>(step.amount / 4))};
        real.act([&](Context& ctx) { on_channel_closed(ctx, closed); });
        model.close(step.worker, step.other, step.amount);
        return;
      }
    }
  }
  void apply(const Step& step) {
    if (step.kind <= 8) {
      const bool expected = model_call(step);
      agree(real_call(step) == expected, "whether the call was refused");
      ++(expected ? applied : refused)[step.kind];
    } else if (step.kind <= 14) {
      if (step.kind == 14 && step.worker == step.other) return;
      sibling_act(step);
    } else {
      real.pass(DurationMs(static_cast<std::uint64_t>(step.amount)));
      model.now += step.amount;
    }
  }
  void compare() const {
    for (int i = 0; i < kAccounts; ++i) {
      const AccountId account = account_of(i);
      const ModelWorker& worker = model.workers[i];
      std::int64_t staked = worker.own.total();
      for (const auto& [key, stake] : model.delegations) {
        if (key.second == i) staked += stake.total();
      }
      agree(real.free(account) == Balance(static_cast<u128>(model.free[i])), "free credits");
      agree(real.held(account) == Balance(static_cast<u128>(staked)), "stake");
      const Worker is = real.worker(account);
      agree(is.frozen == Balance(static_cast<u128>(worker.frozen)), "frozen stake");
      agree(is.slash_due == Balance(static_cast<u128>(worker.due)), "what a slash is owed");
      agree(is.done == static_cast<std::uint32_t>(worker.done), "tasks done");
      if (i >= kSigners) agree(real.wealth(account) >= Balance(kEach), "a bystander");
    }
    agree(real.issued() == Balance(static_cast<u128>(kAccounts * kEach + 30 - model.burned)),
          "issuance");
    agree(real.in_pool() == Balance(static_cast<u128>(model.pool)), "the pool");
  }
};

rc::Gen<Step> any_step() {
  return rc::gen::construct<Step>(
      rc::gen::weightedElement<int>({{3, 0},
                                     {2, 1},
                                     {1, 2},
                                     {2, 3},
                                     {3, 4},
                                     {2, 5},
                                     {3, 6},
                                     {1, 7},
                                     {1, 8},
                                     {3, 9},
                                     {2, 10},
                                     {2, 11},
                                     {1, 12},
                                     {1, 13},
                                     {2, 14},
                                     {4, 15}}),
      rc::gen::inRange(0, kSigners), rc::gen::weightedElement<int>({{6, 0}, {3, 1}, {1, 4}}),
      rc::gen::inRange(0, kAccounts), rc::gen::inRange<std::int64_t>(0, 90));
}

TEST_CASE(
    "random calls move everybody's money as the model says, and nobody's who signed nothing") {
  CHECK(rc::check([] {
    const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
    Run run;
    for (const Step& step : steps) {
      run.apply(step);
      run.compare();
    }
  }));
}

// Long sequences reach what short ones do not: slashes of frozen and unbonding stake at once.
TEST_CASE("a long life of two workers") {
  std::map<int, int> applied;
  std::map<int, int> refused;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::uint64_t state = seed;
    const auto below = [&](std::uint64_t limit) {
      state = state * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
      return static_cast<int>((state >> 33) % limit);
    };
    Run run;
    for (int i = 0; i < 1'500; ++i) {
      const Step step{below(16), below(kSigners), below(2), below(kAccounts), below(90)};
      run.apply(step);
      run.compare();
    }
    for (const auto& [kind, count] : run.applied) applied[kind] += count;
    for (const auto& [kind, count] : run.refused) refused[kind] += count;
  }
  // Not lives of refusals.
  for (int kind = 0; kind <= 8; ++kind) {
    CAPTURE(kind);
    CHECK(applied[kind] >= 100);
    CHECK(refused[kind] >= 100);
  }
}

}  // namespace
}  // namespace tally::workers
