#include "modules/credits/api.hpp"

#include "modules/credits/accounts.hpp"
#include "modules/credits/curve.hpp"
#include "modules/credits/errors.hpp"
#include "modules/credits/events.hpp"
#include "modules/credits/storage.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::credits {

namespace {

constexpr std::uint64_t kPicosecondsPerMs = 1'000'000'000;

Balance plus(Balance a, Balance b) {
  const auto sum = checked_add(a, b);
  TALLY_ASSERT(sum.ok());
  return *sum;
}

Balance minus(Balance a, Balance b) {
  const auto difference = checked_sub(a, b);
  TALLY_ASSERT(difference.ok());
  return *difference;
}

void set_hold(Context& ctx, const AccountId& account, HoldReason reason, Balance amount) {
  if (amount.is_zero()) {
    kHolds.erase(ctx.state, account, reason);
  } else {
    kHolds.put(ctx.state, account, reason, amount);
  }
}

// Takes from a hold; the credits are the caller's to put somewhere.
void take_held(Context& ctx, const AccountId& from, HoldReason reason, Balance amount) {
  set_hold(ctx, from, reason, minus(kHolds.get(ctx.state, from, reason), amount));
  kHeldTotal.put(ctx.state, reason, minus(kHeldTotal.get(ctx.state, reason), amount));
  Account account(ctx, from);
  account.data().reserved = minus(account.data().reserved, amount);
  account.save();
}

void lower_issuance(Context& ctx, Balance amount) {
  auto issuance = kTotalIssuance.at(ctx.state);
  issuance.put(minus(issuance.get(), amount));
}

// The fee has left the payer: half is burned (the odd µCC with it), the rest is the proposer's.
void split_fee(Context& ctx, const AccountId& payer, const Fee& fee) {
  const Balance share(fee.fee.micro / 2);
  deposit(ctx, ctx.block.proposer, plus(share, fee.tip));
  lower_issuance(ctx, minus(fee.fee, share));
  ctx.events.emit(kModule, FeePaid{payer, fee.fee, fee.tip});
}

}  // namespace

Balance total_balance(const StateReader& state, const AccountId& account) {
  const system::AccountData data = system::kAccount.get(state, account).data;
  return plus(data.free, data.reserved);
}

Balance free_balance(const StateReader& state, const AccountId& account) {
  return system::kAccount.get(state, account).data.free;
}

Balance spendable_balance(const Context& ctx, const AccountId& account) {
  Context writable = ctx;
  return Account(writable, account).spendable();
}

Balance held_balance(const StateReader& state, const AccountId& account, HoldReason reason) {
  return kHolds.get(state, account, reason);
}

Balance held_total(const StateReader& state, HoldReason reason) {
  return kHeldTotal.get(state, reason);
}

Balance total_issuance(const StateReader& state) {
  return kTotalIssuance.get(state);
}

bool account_is_alive(const StateReader& state, const AccountId& account) {
  return system::kAccount.get(state, account).alive();
}

bool can_receive(const Context& ctx, const AccountId& account, Balance amount) {
  return amount >= ctx.config<Config>().existential_deposit || account == reward_pool_account() ||
         system::kAccount.get(ctx.state, account).alive();
}

const AccountId& reward_pool_account() {
  static const AccountId account = *AccountId::from(blake2_256(domain_tag("reward-pool")).view());
  return account;
}

Result<BalanceDelta, ArithmeticError> net_position(const StateReader& state,
                                                   const AccountId& account) {
  constexpr u128 kLimit = u128{1} << 127;
  const DebtTotals debts = kDebtTotals.get(state, account);
  const Balance has = TALLY_TRY(checked_add(total_balance(state, account), debts.owed));
  const Balance difference = distance(has, debts.owes);
  if (difference.micro >= kLimit) return fail(ArithmeticError::overflow);
  const auto magnitude = static_cast<i128>(difference.micro);
  return BalanceDelta(has < debts.owes ? -magnitude : magnitude);
}

DispatchResult transfer(Context& ctx, const Payment& payment) {
  const Config& config = ctx.config<Config>();
  Account from(ctx, payment.from);
  const auto left = checked_sub(from.data().free, payment.amount);
  if (!left.ok() || *left < from.data().frozen) return fail(reject(Error::insufficient_balance));
  if (payment.from == payment.to) {
    ctx.events.emit(kModule, Transferred{payment.from, payment.to, payment.amount});
    return {};
  }
  const bool ends = left->is_zero() && from.data().reserved.is_zero();
  if (*left < config.existential_deposit && !ends) return fail(reject(Error::would_leave_dust));
  if (!can_receive(ctx, payment.to, payment.amount)) {
    return fail(reject(Error::existential_deposit));
  }
  from.data().free = *left;
  from.save();
  if (!payment.amount.is_zero()) {
    Account to(ctx, payment.to);
    to.data().free = TALLY_TRY(checked_add(to.data().free, payment.amount));
    to.save();
  }
  ctx.events.emit(kModule, Transferred{payment.from, payment.to, payment.amount});
  return {};
}

DispatchResult hold(Context& ctx, const AccountId& account_id, HoldReason reason, Balance amount) {
  if (amount.is_zero()) return {};
  Account account(ctx, account_id);
  if (account.spendable() < amount) return fail(reject(Error::insufficient_balance));
  account.data().free = minus(account.data().free, amount);
  account.data().reserved = plus(account.data().reserved, amount);
  account.save();
  set_hold(ctx, account_id, reason, plus(kHolds.get(ctx.state, account_id, reason), amount));
  kHeldTotal.put(ctx.state, reason, plus(kHeldTotal.get(ctx.state, reason), amount));
  ctx.events.emit(kModule, Held{account_id, reason, amount});
  return {};
}

void release(Context& ctx, const AccountId& account, HoldReason reason, Balance amount) {
  if (amount.is_zero()) return;
  take_held(ctx, account, reason, amount);
  TALLY_ASSERT(
      deposit(ctx, account, amount));  // a holder is alive with the existential deposit free
  ctx.events.emit(kModule, Released{account, reason, amount});
}

void pay_held(Context& ctx, const HeldPayment& payment) {
  if (payment.from == payment.to) {
    release(ctx, payment.from, payment.reason, payment.amount);
    return;
  }
  if (payment.amount.is_zero()) return;
  take_held(ctx, payment.from, payment.reason, payment.amount);
  if (deposit(ctx, payment.to, payment.amount)) {
    ctx.events.emit(kModule, HeldPaid{payment.from, payment.reason, payment.to, payment.amount});
  }
}

void pay_held_to_pool(Context& ctx, const AccountId& from, HoldReason reason, Balance amount) {
  if (amount.is_zero()) return;
  take_held(ctx, from, reason, amount);
  deposit(ctx, reward_pool_account(), amount);
  ctx.events.emit(kModule, PoolFunded{from, amount});
}

void burn_held(Context& ctx, const AccountId& from, HoldReason hold_reason, Balance amount,
               BurnReason burn_reason) {
  if (amount.is_zero()) return;
  take_held(ctx, from, hold_reason, amount);
  lower_issuance(ctx, amount);
  ctx.events.emit(kModule, Burned{from, burn_reason, amount});
}

Balance pay_from_pool(Context& ctx, const AccountId& to, Balance amount) {
  Account pool(ctx, reward_pool_account());
  const Balance paid = min(amount, pool.data().free);
  if (paid.is_zero() || to == reward_pool_account() || !can_receive(ctx, to, paid))
    return Balance{};
  pool.data().free = minus(pool.data().free, paid);
  pool.save();
  const bool reached = deposit(ctx, to, paid);
  TALLY_ASSERT(reached);
  ctx.events.emit(kModule, PoolPaid{to, paid});
  return paid;
}

std::uint64_t contribution_multiplier(const Context& ctx, std::uint64_t hours) {
  return multiplier_billionths(ctx.config<Config>(), hours);
}

Result<Balance, ArithmeticError> fee_of(const Config& config, std::uint64_t bytes, Weight weight) {
  const Balance length = TALLY_TRY(checked_mul(config.fee_per_byte, bytes));
  const Balance work =
      TALLY_TRY(mul_div(config.fee_per_weight_ms, weight.value, kPicosecondsPerMs));
  const Balance base = TALLY_TRY(checked_add(config.fee_base, length));
  return checked_add(base, work);
}

DispatchResult charge_fee(Context& ctx, const AccountId& payer, const Fee& fee) {
  const Balance whole = TALLY_TRY(checked_add(fee.fee, fee.tip));
  Account account(ctx, payer);
  if (account.spendable() < whole) return fail(reject(Error::insufficient_balance));
  account.data().free = minus(account.data().free, whole);
  account.save();
  split_fee(ctx, payer, fee);
  return {};
}

void charge_fee_from_held(Context& ctx, const AccountId& payer, HoldReason reason, const Fee& fee) {
  take_held(ctx, payer, reason, plus(fee.fee, fee.tip));
  split_fee(ctx, payer, fee);
}

}  // namespace tally::credits
