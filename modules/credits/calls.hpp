// Calls of the credits module. Every amount is in µCC.
#pragma once

#include <variant>

#include "modules/support/context.hpp"
#include "primitives/extrinsic.hpp"

namespace tally::credits {

// Moves free credits. Rejections in order: CannotLookup, InsufficientBalance, WouldLeaveDust,
// ExistentialDeposit.
struct Transfer {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "transfer";
  MultiAddress dest;
  Compact<Balance> value;
  friend bool operator==(const Transfer&, const Transfer&) = default;
};
TALLY_DESCRIBE(Transfer, dest, value);

// Moves all that is free. Where something is held the existential deposit stays; otherwise the
// account ends. Rejections as for transfer.
struct TransferAll {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "transfer_all";
  MultiAddress dest;
  friend bool operator==(const TransferAll&, const TransferAll&) = default;
};
TALLY_DESCRIBE(TransferAll, dest);

// The caller promises to pay; nothing moves. Rejections in order: ZeroAmount, SelfDebt,
// DebtTooLarge, TooManyDebts.
struct IssueDebt {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "issue_debt";
  AccountId creditor;
  Compact<Balance> amount;
  friend bool operator==(const IssueDebt&, const IssueDebt&) = default;
};
TALLY_DESCRIBE(IssueDebt, creditor, amount);

// The caller pays a part of its debt. Rejections in order: ZeroAmount, DebtExceeded, then those of
// transfer.
struct SettleDebt {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "settle_debt";
  AccountId creditor;
  Compact<Balance> amount;
  friend bool operator==(const SettleDebt&, const SettleDebt&) = default;
};
TALLY_DESCRIBE(SettleDebt, creditor, amount);

// The caller gives up a part of what it is owed. Rejections in order: ZeroAmount, DebtExceeded.
struct ForgiveDebt {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "forgive_debt";
  AccountId debtor;
  Compact<Balance> amount;
  friend bool operator==(const ForgiveDebt&, const ForgiveDebt&) = default;
};
TALLY_DESCRIBE(ForgiveDebt, debtor, amount);

using Call = std::variant<Transfer, TransferAll, IssueDebt, SettleDebt, ForgiveDebt>;

}  // namespace tally::credits
