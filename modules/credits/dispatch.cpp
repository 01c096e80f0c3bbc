#include "modules/credits/dispatch.hpp"

#include "modules/credits/api.hpp"
#include "modules/credits/errors.hpp"
#include "modules/credits/events.hpp"
#include "modules/credits/storage.hpp"
#include "modules/system/api.hpp"

namespace tally::credits {

namespace {

constexpr Weight kTransferWeight(2'000'000);
constexpr Weight kDebtWeight(3'000'000);

Result<AccountId, DispatchError> account_at(const MultiAddress& address) {
  const auto account = lookup(address);
  if (!account) return fail(DispatchError(ErrorCannotLookup{}));
  return *account;
}

struct DebtKey {
  AccountId debtor;
  AccountId creditor;
};

void put_totals(Context& ctx, const AccountId& account, const DebtTotals& totals) {
  if (totals == DebtTotals{}) {
    kDebtTotals.erase(ctx.state, account);
  } else {
    kDebtTotals.put(ctx.state, account, totals);
  }
}

// Takes `amount` off a debt and off both sums.
DispatchResult lower_debt(Context& ctx, const DebtKey& key, Balance amount) {
  if (amount.is_zero()) return fail(reject(Error::zero_amount));
  const Balance debt = kDebts.get(ctx.state, key.debtor, key.creditor);
  if (debt < amount) return fail(reject(Error::debt_exceeded));
  const Balance left = TALLY_TRY(checked_sub(debt, amount));
  DebtTotals debtor = kDebtTotals.get(ctx.state, key.debtor);
  DebtTotals creditor = kDebtTotals.get(ctx.state, key.creditor);
  debtor.owes = TALLY_TRY(checked_sub(debtor.owes, amount));
  creditor.owed = TALLY_TRY(checked_sub(creditor.owed, amount));
  if (left.is_zero()) {
    kDebts.erase(ctx.state, key.debtor, key.creditor);
    --debtor.debts_open;
  } else {
    kDebts.put(ctx.state, key.debtor, key.creditor, left);
  }
  put_totals(ctx, key.debtor, debtor);
  put_totals(ctx, key.creditor, creditor);
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Transfer& call) {
  const AccountId dest = TALLY_TRY(account_at(call.dest));
  return transfer(ctx, {origin.signer, dest, call.value.value});
}

DispatchResult run(Context& ctx, const Origin& origin, const TransferAll& call) {
  const AccountId dest = TALLY_TRY(account_at(call.dest));
  const system::AccountData data = system::kAccount.get(ctx.state, origin.signer).data;
  const bool may_end = data.reserved.is_zero() && data.frozen.is_zero();
  const Balance amount = may_end ? data.free : spendable_balance(ctx, origin.signer);
  return transfer(ctx, {origin.signer, dest, amount});
}

DispatchResult run(Context& ctx, const Origin& origin, const IssueDebt& call) {
  const Balance amount = call.amount.value;
  if (amount.is_zero()) return fail(reject(Error::zero_amount));
  if (origin.signer == call.creditor) return fail(reject(Error::self_debt));
  const Balance before = kDebts.get(ctx.state, origin.signer, call.creditor);
  const auto after = checked_add(before, amount);
  if (!after.ok() || *after > total_issuance(ctx.state)) {
    return fail(reject(Error::debt_too_large));
  }
  DebtTotals debtor = kDebtTotals.get(ctx.state, origin.signer);
  DebtTotals creditor = kDebtTotals.get(ctx.state, call.creditor);
  if (before.is_zero()) {
    if (debtor.debts_open >= ctx.config<Config>().debts_max) {
      return fail(reject(Error::too_many_debts));
    }
    ++debtor.debts_open;
  }
  debtor.owes = TALLY_TRY(checked_add(debtor.owes, amount));
  creditor.owed = TALLY_TRY(checked_add(creditor.owed, amount));
  kDebts.put(ctx.state, origin.signer, call.creditor, *after);
  put_totals(ctx, origin.signer, debtor);
  put_totals(ctx, call.creditor, creditor);
  ctx.events.emit(kModule, DebtIssued{origin.signer, call.creditor, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const SettleDebt& call) {
  const Balance amount = call.amount.value;
  TALLY_TRY(lower_debt(ctx, {origin.signer, call.creditor}, amount));
  TALLY_TRY(transfer(ctx, {origin.signer, call.creditor, amount}));
  ctx.events.emit(kModule, DebtSettled{origin.signer, call.creditor, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const ForgiveDebt& call) {
  const Balance amount = call.amount.value;
  TALLY_TRY(lower_debt(ctx, {call.debtor, origin.signer}, amount));
  ctx.events.emit(kModule, DebtForgiven{call.debtor, origin.signer, amount});
  return {};
}

}  // namespace

CallProperties properties(const Call& call) {
  const bool moves_only =
      std::holds_alternative<Transfer>(call) || std::holds_alternative<TransferAll>(call);
  return {.weight = moves_only ? kTransferWeight : kDebtWeight};
}

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call) {
  return std::visit([&](const auto& c) { return run(ctx, origin, c); }, call);
}

}  // namespace tally::credits
