// Events of the credits module.
#pragma once

#include <variant>

#include "modules/credits/types.hpp"

namespace tally::credits {

struct Transferred {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Transfer";
  AccountId from;
  AccountId to;
  Balance amount;
  friend bool operator==(const Transferred&, const Transferred&) = default;
};
TALLY_DESCRIBE(Transferred, from, to, amount);
// Half of the fee was burned; the other half and the tip went to the proposer.
struct FeePaid {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "FeePaid";
  AccountId account;
  Balance fee;
  Balance tip;
  friend bool operator==(const FeePaid&, const FeePaid&) = default;
};
TALLY_DESCRIBE(FeePaid, account, fee, tip);
struct Held {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Held";
  AccountId account;
  HoldReason reason{};
  Balance amount;
  friend bool operator==(const Held&, const Held&) = default;
};
TALLY_DESCRIBE(Held, account, reason, amount);
struct Released {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "Released";
  AccountId account;
  HoldReason reason{};
  Balance amount;
  friend bool operator==(const Released&, const Released&) = default;
};
TALLY_DESCRIBE(Released, account, reason, amount);
// Out of a hold into free credits.
struct HeldPaid {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "HeldPaid";
  AccountId from;
  HoldReason reason{};
  AccountId to;
  Balance amount;
  friend bool operator==(const HeldPaid&, const HeldPaid&) = default;
};
TALLY_DESCRIBE(HeldPaid, from, reason, to, amount);
// Fees apart, which FeePaid tells.
struct Burned {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "Burned";
  AccountId account;
  BurnReason reason{};
  Balance amount;
  friend bool operator==(const Burned&, const Burned&) = default;
};
TALLY_DESCRIBE(Burned, account, reason, amount);
// The reward pool got credits from an account, or instead of an account that could not begin with
// them.
struct PoolFunded {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "PoolFunded";
  AccountId account;
  Balance amount;
  friend bool operator==(const PoolFunded&, const PoolFunded&) = default;
};
TALLY_DESCRIBE(PoolFunded, account, amount);
struct PoolPaid {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "PoolPaid";
  AccountId to;
  Balance amount;
  friend bool operator==(const PoolPaid&, const PoolPaid&) = default;
};
TALLY_DESCRIBE(PoolPaid, to, amount);
struct DebtIssued {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "DebtIssued";
  AccountId debtor;
  AccountId creditor;
  Balance amount;
  friend bool operator==(const DebtIssued&, const DebtIssued&) = default;
};
TALLY_DESCRIBE(DebtIssued, debtor, creditor, amount);
struct DebtSettled {
  static constexpr std::uint8_t kIndex = 9;
  static constexpr std::string_view kName = "DebtSettled";
  AccountId debtor;
  AccountId creditor;
  Balance amount;
  friend bool operator==(const DebtSettled&, const DebtSettled&) = default;
};
TALLY_DESCRIBE(DebtSettled, debtor, creditor, amount);
struct DebtForgiven {
  static constexpr std::uint8_t kIndex = 10;
  static constexpr std::string_view kName = "DebtForgiven";
  AccountId debtor;
  AccountId creditor;
  Balance amount;
  friend bool operator==(const DebtForgiven&, const DebtForgiven&) = default;
};
TALLY_DESCRIBE(DebtForgiven, debtor, creditor, amount);

using Event = std::variant<Transferred, FeePaid, Held, Released, HeldPaid, Burned, PoolFunded,
                           PoolPaid, DebtIssued, DebtSettled, DebtForgiven>;

}  // namespace tally::credits
