// What other modules may do with credits.
//
// Every function here keeps the module's invariants (README.md): free + reserved over all accounts
// is the total issuance, reserved is the sum of an account's holds, and an account that is alive
// has at least the existential deposit free. Functions that return DispatchResult refuse and change
// nothing; functions that return void cannot fail: their preconditions are the caller's to keep,
// and a breach is a bug (asserted).
//
// The reward pool is an account of its own (reward_pool_account()) that is exempt from the
// existential deposit, so that a payment to it always succeeds.
#pragma once

#include <cstdint>

#include "modules/credits/config.hpp"
#include "modules/credits/types.hpp"
#include "modules/support/context.hpp"

namespace tally::credits {

// free + reserved
Balance total_balance(const StateReader& state, const AccountId& account);
Balance free_balance(const StateReader& state, const AccountId& account);
// What a hold or transfer could take now while the account stays alive:
// free − max(frozen, existential deposit).
Balance spendable_balance(const Context& ctx, const AccountId& account);
Balance held_balance(const StateReader& state, const AccountId& account, HoldReason reason);
// Σ of held_balance over all accounts.
Balance held_total(const StateReader& state, HoldReason reason);
Balance total_issuance(const StateReader& state);
bool account_is_alive(const StateReader& state, const AccountId& account);
// Whether a payment of `amount` would reach the account (and not the reward pool).
bool can_receive(const Context& ctx, const AccountId& account, Balance amount);
const AccountId& reward_pool_account();
// credits + what others owe it − what it owes
Result<BalanceDelta, ArithmeticError> net_position(const StateReader& state,
                                                   const AccountId& account);

// Moves free credits. Refuses when the sender lacks the amount, would be left with less than the
// existential deposit but more than nothing, or the receiver would be below it.
DispatchResult transfer(Context& ctx, const Payment& payment);

// free → held; the account keeps the existential deposit free. Refuses: insufficient_balance.
DispatchResult hold(Context& ctx, const AccountId& account, HoldReason reason, Balance amount);
// held → free of the same account. amount ≤ held.
void release(Context& ctx, const AccountId& account, HoldReason reason, Balance amount);
// held of `from` → free of `to`, which may be the same account. Never fails: what is below the
// existential deposit for a missing account goes to the reward pool. amount ≤ held.
void pay_held(Context& ctx, const HeldPayment& payment);
// held → reward pool. amount ≤ held.
void pay_held_to_pool(Context& ctx, const AccountId& from, HoldReason reason, Balance amount);
// held → nowhere; issuance falls. amount ≤ held.
void burn_held(Context& ctx, const AccountId& from, HoldReason hold_reason, Balance amount,
               BurnReason burn_reason);

// Pays at most what the pool has; returns what was paid. A missing account below the existential
// deposit gets nothing.
Balance pay_from_pool(Context& ctx, const AccountId& to, Balance amount);

// What the contribution curve gives after this many network-wide compute hours, in billionths: 1 or
// more (curve.hpp).
std::uint64_t contribution_multiplier(const Context& ctx, std::uint64_t hours);

// base + bytes + weight; the weight's part is rounded down.
Result<Balance, ArithmeticError> fee_of(const Config& config, std::uint64_t bytes, Weight weight);
// From free credits; the payer keeps the existential deposit. Refuses: insufficient_balance.
DispatchResult charge_fee(Context& ctx, const AccountId& payer, const Fee& fee);
// From a hold, for calls whose payer has nothing free. fee + tip ≤ held.
void charge_fee_from_held(Context& ctx, const AccountId& payer, HoldReason reason, const Fee& fee);

}  // namespace tally::credits
