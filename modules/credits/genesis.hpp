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
    const auto sum = checked_add(issued_, balance);
    TALLY_ASSERT(sum.ok());
    issued_ = *sum;
  }
  void finish() { kTotalIssuance.put(state_, issued_); }

 private:
  Overlay& state_;
  Balance issued_;
};

}  // namespace tally::credits
