// The credits module's storage items. Balances themselves stand in System.Account.
#pragma once

#include "modules/credits/config.hpp"
#include "modules/credits/types.hpp"
#include "modules/support/storage.hpp"

namespace tally::credits {

inline constexpr StorageValue<Balance> kTotalIssuance{
    "Credits", "TotalIssuance", Modifier::with_default, "All credits there are."};
inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Twox64Concat, HoldReason, Balance>
    kHolds{"Credits", "Holds", Modifier::with_default,
           "What is held of an account's credits, by reason; no entry for zero."};
inline constexpr StorageMap<Twox64Concat, HoldReason, Balance> kHeldTotal{
    "Credits", "HeldTotal", Modifier::with_default,
    "What is held for a reason, over all accounts."};
inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Blake2_128Concat, AccountId, Balance>
    kDebts{"Credits", "Debts", Modifier::with_default,
           "What a debtor owes a creditor; no entry for zero."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, DebtTotals> kDebtTotals{
    "Credits", "DebtTotals", Modifier::with_default, "Sums over an account's debts."};
inline constexpr StorageValue<Config> kConfig{"Credits", "Config", Modifier::optional,
                                              "The parameters of money, fixed at genesis."};

}  // namespace tally::credits
