#include "modules/credits/invariants.hpp"

#include <array>
#include <map>

#include "modules/credits/api.hpp"
#include "modules/credits/storage.hpp"
#include "modules/system/api.hpp"

namespace tally::credits {

namespace {

// Differences are taken modulo 2^128: they are equal there exactly when they are equal.
u128 difference(const std::optional<Balance>& before, const std::optional<Balance>& after) {
  return after.value_or(Balance{}).micro - before.value_or(Balance{}).micro;
}

using PerAccount = std::map<AccountId, u128>;

bool all_zero(const PerAccount& sums) {
  for (const auto& [account, sum] : sums) {
    if (sum != 0) return false;
  }
  return true;
}

// 1: the sum of all balances moves with the issuance. 4: what an account looks like. Leaves each
// account's change of `reserved` in `reserved`.
Violation accounts_violation(const ChangeView& view, const Config& config, PerAccount& reserved) {
  u128 total = 0;
  Violation found;
  view.for_each(system::kAccount, [&](const auto& keys, const auto& before, const auto& after) {
    const system::AccountInfo was = before.value_or(system::AccountInfo{});
    const system::AccountInfo is = after.value_or(system::AccountInfo{});
    const u128 held = is.data.reserved.micro - was.data.reserved.micro;
    total += held + (is.data.free.micro - was.data.free.micro);
    reserved[std::get<0>(keys)] += held;
    const bool owns = !is.data.free.is_zero() || !is.data.reserved.is_zero();
    if (owns != is.alive()) found = "an account is alive exactly while it owns something";
    const bool exempt = std::get<0>(keys) == reward_pool_account();
    if (owns && !exempt && is.data.free < config.existential_deposit) {
      found = "an account that is alive has the existential deposit free";
    }
    if (is.nonce < was.nonce) found = "a nonce never falls";
  });
  if (found) return found;
  const u128 issued = difference(view.before(kTotalIssuance), view.after(kTotalIssuance));
  if (total != issued) return "free + reserved over all accounts is the total issuance";
  return std::nullopt;
}

// 2: reserved is the sum of an account's holds. 3: so are the totals by reason.
Violation holds_violation(const ChangeView& view, PerAccount& reserved) {
  std::map<HoldReason, u128> by_reason;
  view.for_each(kHolds, [&](const auto& keys, const auto& before, const auto& after) {
    const u128 change = difference(before, after);
    reserved[std::get<0>(keys)] -= change;
    by_reason[std::get<1>(keys)] += change;
  });
  view.for_each(kHeldTotal, [&](const auto& keys, const auto& before, const auto& after) {
    by_reason[std::get<0>(keys)] -= difference(before, after);
  });
  if (!all_zero(reserved)) return "reserved is the sum of an account's holds";
  for (const auto& [reason, sum] : by_reason) {
    if (sum != 0) return "a reason's total is the sum of the holds with that reason";
  }
  return std::nullopt;
}

// 5: the sums over debts.
Violation debts_violation(const ChangeView& view, const Config& config) {
  PerAccount owes;
  PerAccount owed;
  PerAccount open;
  view.for_each(kDebts, [&](const auto& keys, const auto& before, const auto& after) {
    const auto& [debtor, creditor] = keys;
    owes[debtor] += difference(before, after);
    owed[creditor] += difference(before, after);
    open[debtor] += u128{after.has_value()} - u128{before.has_value()};
  });
  Violation found;
  view.for_each(kDebtTotals, [&](const auto& keys, const auto& before, const auto& after) {
    const AccountId& account = std::get<0>(keys);
    const DebtTotals was = before.value_or(DebtTotals{});
    const DebtTotals is = after.value_or(DebtTotals{});
    owes[account] -= is.owes.micro - was.owes.micro;
    owed[account] -= is.owed.micro - was.owed.micro;
    open[account] -= u128{is.debts_open} - u128{was.debts_open};
    if (is.debts_open > config.debts_max) found = "no debtor has more debts than allowed";
  });
  if (found) return found;
  if (!all_zero(owes) || !all_zero(owed) || !all_zero(open)) {
    return "an account's debt totals are the sums over its debts";
  }
  return std::nullopt;
}

}  // namespace

Violation find_violation(const ChangeView& view, const Config& config) {
  PerAccount reserved;
  if (auto found = accounts_violation(view, config, reserved)) return found;
  if (auto found = holds_violation(view, reserved)) return found;
  return debts_violation(view, config);
}

}  // namespace tally::credits
