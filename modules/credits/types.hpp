// Types of the credits module that its siblings see too.
#pragma once

#include <cstdint>

#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::credits {

// Why a part of an account's credits is held. A hold is part of `reserved` and cannot be spent.
enum class HoldReason : std::uint8_t {
  channel = 0,
  worker_stake = 1,
  validator_bond = 2,
  dispute_bond = 3,
  storage_deposit = 4,
};
TALLY_DESCRIBE_ENUM(HoldReason, channel, worker_stake, validator_bond, dispute_bond,
                    storage_deposit);

// Every way in which issuance falls. It rises only at genesis.
enum class BurnReason : std::uint8_t {
  fee = 0,
  channel_fee = 1,
  slash = 2,
  dispute = 3,
};
TALLY_DESCRIBE_ENUM(BurnReason, fee, channel_fee, slash, dispute);

// Sums over an account's debts, so that its net position needs no walk over them.
struct DebtTotals {
  Balance owes;                // as debtor
  Balance owed;                // as creditor
  std::uint32_t debts_open{};  // as debtor; bounded by the configuration
  friend bool operator==(const DebtTotals&, const DebtTotals&) = default;
};
TALLY_DESCRIBE(DebtTotals, owes, owed, debts_open);

// A part of `from`'s hold, and who gets it.
struct HeldPayment {
  AccountId from;
  HoldReason reason{};
  AccountId to;
  Balance amount;
};

struct Payment {
  AccountId from;
  AccountId to;
  Balance amount;
};

struct Fee {
  Balance fee;  // half burned, half to the block's proposer
  Balance tip;  // all to the proposer
};

}  // namespace tally::credits
