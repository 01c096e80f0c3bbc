// The module's part of the genesis state: the only place where credits begin.
#pragma once

#include "modules/credits/config.hpp"
#include "modules/credits/storage.hpp"
#include "modules/system/api.hpp"

namespace tally::credits {

class GenesisWriter {
 public:
  GenesisWriter(Overlay& state, const Config& config) : state_(state) {
    kConfig.put(state, config);
  }
  // Each account once, with at least the existential deposit.
  void endow(const AccountId& account, Balance balance) {
    if (balance.is_zero()) return;
    system::AccountInfo info;
    info.providers = 1;
    info.data.free = balance;
    system::kAccount.put(state_, account, info);
    issued_ = sum_of(issued_, balance);
  }
  // Of an account that was endowed, and keeps the existential deposit free.
  void hold(const AccountId& account, HoldReason reason, Balance amount) {
    system::AccountInfo info = system::kAccount.get(state_, account);
    const auto left = checked_sub(info.data.free, amount);
    TALLY_ASSERT(left.ok());
    info.data.free = *left;
    info.data.reserved = sum_of(info.data.reserved, amount);
    system::kAccount.put(state_, account, info);
    kHolds.put(state_, account, reason, sum_of(kHolds.get(state_, account, reason), amount));
    kHeldTotal.put(state_, reason, sum_of(kHeldTotal.get(state_, reason), amount));
  }
  void finish() { kTotalIssuance.put(state_, issued_); }

 private:
  static Balance sum_of(Balance a, Balance b) {
    const auto sum = checked_add(a, b);
    TALLY_ASSERT(sum.ok());
    return *sum;
  }

  Overlay& state_;
  Balance issued_;
};

}  // namespace tally::credits
