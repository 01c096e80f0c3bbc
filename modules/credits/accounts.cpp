#include "modules/credits/accounts.hpp"

#include "modules/credits/api.hpp"
#include "modules/credits/errors.hpp"
#include "modules/credits/events.hpp"
#include "modules/system/api.hpp"

namespace tally::credits {

Balance Account::spendable() const {
  const Balance kept = max(data().frozen, ctx_.config<Config>().existential_deposit);
  return data().free < kept ? Balance{} : Balance(data().free.micro - kept.micro);
}

void Account::save() {
  const bool owns = !data().free.is_zero() || !data().reserved.is_zero();
  const bool was_alive = alive();
  info_.providers = owns ? 1 : 0;
  if (!owns && info_.nonce == Nonce{}) {
    entry_.erase();
  } else {
    entry_.put(info_);
  }
  if (owns && !was_alive) ctx_.events.emit(system::kModule, system::NewAccount{id_});
  if (!owns && was_alive) ctx_.events.emit(system::kModule, system::KilledAccount{id_});
}

bool deposit(Context& ctx, const AccountId& to, Balance amount) {
  if (amount.is_zero()) return true;
  const bool reaches = can_receive(ctx, to, amount);
  Account account(ctx, reaches ? to : reward_pool_account());
  const auto sum = checked_add(account.data().free, amount);
  TALLY_ASSERT(sum.ok());  // no sum of balances exceeds the issuance
  account.data().free = *sum;
  account.save();
  if (!reaches) ctx.events.emit(kModule, PoolFunded{to, amount});
  return reaches;
}

}  // namespace tally::credits
