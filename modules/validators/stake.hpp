// Private to the module: credits that are bound, and the way out of it.
#pragma once

#include <algorithm>
#include <vector>

#include "modules/validators/api.hpp"

namespace tally::validators {

constexpr u128 kPerThousand = 1'000;

// Sums of held amounts: all fit, since every one of them is held of an account.
Balance plus(Balance a, Balance b);
Balance minus(Balance a, Balance b);

DispatchResult check_amount(Balance amount);

// free → held for validators; refuses for lack of funds.
DispatchResult bind(Context& ctx, const AccountId& account, Balance amount);
// held → free.
void unbind(Context& ctx, const AccountId& account, Balance amount);
// held → nowhere.
void burn_bound(Context& ctx, const AccountId& account, Balance amount);
// held → free of `to`.
struct BoundPayment {
  AccountId from;
  AccountId to;
  Balance amount;
};
void pay_bound(Context& ctx, const BoundPayment& payment);

// The last epoch that counted a stake which is taken back now; 0 when no set does.
Epoch counted_until(const StateReader& state, const Candidate& candidate);
// Refuses when the list is full.
DispatchResult begin_unbonding(Context& ctx, UnbondingList& list, Balance amount, Epoch last);
// Takes what is due out of the list.
Balance take_due(const Context& ctx, UnbondingList& list);

// In ascending order; each once. False when there is no room.
template <std::size_t Max>
bool insert_account(BoundedVec<AccountId, Max>& list, const AccountId& account) {
  std::vector<AccountId> items = list.items();
  items.insert(std::lower_bound(items.begin(), items.end(), account), account);
  auto bounded = BoundedVec<AccountId, Max>::from(std::move(items));
  if (!bounded) return false;
  list = *std::move(bounded);
  return true;
}
template <std::size_t Max>
void erase_account(BoundedVec<AccountId, Max>& list, const AccountId& account) {
  const auto found = std::lower_bound(list.begin(), list.end(), account);
  if (found != list.end() && *found == account) list.erase(found);
}

// Erases the record, and frees its keys, when nothing is held for it any more; else stores it.
void save(Context& ctx, const AccountId& account, const Candidate& candidate);

}  // namespace tally::validators
