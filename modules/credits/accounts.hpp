// Private to the module: an account's balances in a block, found once. Beginning and ending an
// account are decided in one place, save().
#pragma once

#include "modules/credits/config.hpp"
#include "modules/support/context.hpp"
#include "modules/system/api.hpp"

namespace tally::credits {

class Account {
 public:
  Account(Context& ctx, const AccountId& id)
      : ctx_(ctx), id_(id), entry_(system::kAccount.at(ctx.state, id)), info_(entry_.get()) {}

  system::AccountData& data() { return info_.data; }
  const system::AccountData& data() const { return info_.data; }
  bool alive() const { return info_.alive(); }
  // free − max(frozen, existential deposit), never below zero
  Balance spendable() const;
  // Writes the balances back. An account with nothing left ends (its nonce stays); one that had
  // nothing begins.
  void save();

 private:
  Context& ctx_;
  AccountId id_;
  StorageEntry<system::AccountInfo> entry_;
  system::AccountInfo info_;
};

// Adds to free credits; below the existential deposit for a missing account the amount goes to the
// reward pool instead. Returns whether the account got it. Issuance is the caller's to balance.
bool deposit(Context& ctx, const AccountId& to, Balance amount);

}  // namespace tally::credits
