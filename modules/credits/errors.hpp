// Rejections of the credits module.
#pragma once

#include "modules/support/error.hpp"

namespace tally::credits {

inline constexpr ModuleIndex kModule = ModuleIndex::credits;

enum class Error : std::uint8_t {
  insufficient_balance = 0,  // the amount is not free
  would_leave_dust = 1,      // the sender would keep less than the existential deposit
  existential_deposit = 2,   // the receiver would begin with less than the existential deposit
  zero_amount = 3,
  self_debt = 4,
  debt_too_large = 5,  // above the total issuance: nobody could pay it
  too_many_debts = 6,  // the debtor has as many open debts as the configuration allows
  debt_exceeded = 7,   // more than what is owed
};
TALLY_DESCRIBE_ENUM(Error, insufficient_balance, would_leave_dust, existential_deposit, zero_amount,
                    self_debt, debt_too_large, too_many_debts, debt_exceeded);

inline DispatchError reject(Error error) {
  return module_error(kModule, error);
}

}  // namespace tally::credits
