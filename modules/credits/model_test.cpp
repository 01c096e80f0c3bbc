// The module against a model that knows only sums: random call sequences, and every pair of calls
// over small balances. Leaving out any one refusal in dispatch.cpp or api.cpp makes both fail.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <set>

#include "modules/credits/errors.hpp"
#include "modules/credits/fixture.hpp"
#include "modules/credits/storage.hpp"

namespace tally::credits {
namespace {

// Plain integers, no accounts that begin or end, no storage: what the rules say in a few lines.
struct Model {
  std::int64_t existential_deposit;
  std::map<int, std::int64_t> free;
  std::map<std::pair<int, int>, std::int64_t> debts;
  std::int64_t issued = 0;

  bool can_transfer(int from, int to, std::int64_t amount) {
    const std::int64_t left = free[from] - amount;
    if (left < 0) return false;
    if (from == to) return true;
    if (left != 0 && left < existential_deposit) return false;
    return free[to] > 0 || amount >= existential_deposit;
  }
  bool transfer(int from, int to, std::int64_t amount) {
    if (!can_transfer(from, to, amount)) return false;
    free[from] -= amount;
    free[to] += amount;
    return true;
  }
  bool issue(int debtor, int creditor, std::int64_t amount, int debts_max) {
    if (amount == 0 || debtor == creditor) return false;
    if (debts[{debtor, creditor}] + amount > issued) return false;
    int open = 0;
    for (const auto& [key, debt] : debts) open += key.first == debtor && debt > 0 ? 1 : 0;
    if (debts[{debtor, creditor}] == 0 && open >= debts_max) return false;
    debts[{debtor, creditor}] += amount;
    return true;
  }
  bool lower(int debtor, int creditor, std::int64_t amount) {
    if (amount == 0 || debts[{debtor, creditor}] < amount) return false;
    debts[{debtor, creditor}] -= amount;
    return true;
  }
  bool settle(int debtor, int creditor, std::int64_t amount) {
    if (amount == 0 || debts[{debtor, creditor}] < amount) return false;
    if (!can_transfer(debtor, creditor, amount)) return false;
    return lower(debtor, creditor, amount) && transfer(debtor, creditor, amount);
  }
};

struct Step {
  int kind;  // 0..4, as the calls are numbered
  int caller;
  int other;
  std::int64_t amount;
};

AccountId account_of(int number) {
  return test_account(static_cast<std::uint8_t>(number + 1));
}

Call call_of(const Step& step) {
  const AccountId other = account_of(step.other);
  const Compact<Balance> amount{Balance(static_cast<u128>(step.amount))};
  switch (step.kind) {
    case 0:
      return Transfer{AddressId{other}, amount};
    case 1:
      return TransferAll{AddressId{other}};
    case 2:
      return IssueDebt{other, amount};
    case 3:
      return SettleDebt{other, amount};
    default:
      return ForgiveDebt{other, amount};
  }
}

bool model_step(Model& model, const Step& step, int debts_max) {
  switch (step.kind) {
    case 0:
      return model.transfer(step.caller, step.other, step.amount);
    case 1:
      return model.transfer(step.caller, step.other, model.free[step.caller]);
    case 2:
      return model.issue(step.caller, step.other, step.amount, debts_max);
    case 3:
      return model.settle(step.caller, step.other, step.amount);
    default:
      return model.lower(step.other, step.caller, step.amount);
  }
}

// Nothing when module and model agree.
std::string disagreement(Fixture& f, Model& model, const Step& step, int accounts) {
  const bool expected = model_step(model, step, static_cast<int>(f.config().debts_max));
  const bool applied = f.call(account_of(step.caller), call_of(step)).ok();
  if (applied != expected) return "applied or refused otherwise than the model";
  for (int a = 0; a < accounts; ++a) {
    if (f.free(account_of(a)) != Balance(static_cast<u128>(model.free[a]))) return "a balance";
    std::int64_t net = model.free[a];
    for (const auto& [key, debt] : model.debts) {
      if (key.first == a) net -= debt;
      if (key.second == a) net += debt;
    }
    const auto position = net_position(f.state(), account_of(a));
    if (!position.ok() || position->micro != net) return "a net position";
  }
  return {};
}

struct World {
  explicit World(const std::vector<std::int64_t>& balances, const Config& config) {
    std::map<AccountId, Balance> accounts;
    model.existential_deposit = static_cast<std::int64_t>(config.existential_deposit.micro);
    for (std::size_t i = 0; i < balances.size(); ++i) {
      if (balances[i] > 0) {
        accounts[account_of(static_cast<int>(i))] = Balance(static_cast<u128>(balances[i]));
      }
      model.free[static_cast<int>(i)] = balances[i];
      model.issued += balances[i];
    }
    fixture = std::make_unique<Fixture>(accounts, config);
  }
  Model model;
  std::unique_ptr<Fixture> fixture;
};

TEST_CASE("random calls do what the model does") {
  constexpr int kAccounts = 4;
  const bool holds = rc::check([] {
    World world({1'000, 500, 10, 0}, test_config());
    const int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      const Step step{*rc::gen::inRange(0, 5), *rc::gen::inRange(0, kAccounts),
                      *rc::gen::inRange(0, kAccounts), *rc::gen::inRange<std::int64_t>(0, 700)};
      RC_ASSERT(disagreement(*world.fixture, world.model, step, kAccounts) == "");
    }
  });
  CHECK(holds);
}

TEST_CASE("every pair of calls over small balances does what the model does") {
  Config config = test_config();
  config.existential_deposit = Balance(2);
  config.debts_max = 1;
  std::vector<Step> all;
  for (int kind = 0; kind < 5; ++kind) {
    for (int caller = 0; caller < 3; ++caller) {
      for (int other = 0; other < 3; ++other) {
        for (std::int64_t amount = 0; amount <= (kind == 1 ? 0 : 4); ++amount) {
          all.push_back({kind, caller, other, amount});
        }
      }
    }
  }
  std::size_t disagreements = 0;
  for (std::int64_t second = 0; second <= 3; ++second) {
    if (second == 1) continue;  // below the existential deposit
    for (const Step& first : all) {
      for (const Step& then : all) {
        World world({3, second, 0}, config);
        if (!disagreement(*world.fixture, world.model, first, 3).empty()) ++disagreements;
        if (!disagreement(*world.fixture, world.model, then, 3).empty()) ++disagreements;
      }
    }
  }
  CHECK(disagreements == 0);
}

}  // namespace
}  // namespace tally::credits
