// Private to the runtime: the pre-dispatch checks that the pool, a proposer and every validator
// make of a transaction, written once.
#pragma once

#include "modules/credits/config.hpp"
#include "modules/support/context.hpp"
#include "modules/system/config.hpp"
#include "runtime/transaction.hpp"

namespace tally::runtime {

// The fork that a transaction is checked for.
struct Fork {
  // Its System.Number is the parent's in the pool, the block's own in a block.
  const Overlay& state;
  Hash parent_hash;
  BlockNumber block;  // that the transaction is to be in
  Hash genesis_hash;
};

Result<SignedAdditional, InvalidTransaction> additional_for(const Fork& fork,
                                                            const Transaction& tx);
Result<Balance, InvalidTransaction> fee_for(const credits::Config& config, const Transaction& tx);
// Whether the fee of a payer without free credits may be owed to the channel that it defends. A tip
// may not: it would buy a place that nobody need ever pay for.
bool may_owe_fee(const Context& ctx, const Transaction& tx, Balance fee);

}  // namespace tally::runtime
