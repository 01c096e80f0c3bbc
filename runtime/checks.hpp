// Private to the runtime: the pre-dispatch checks that the pool, a proposer and every validator
// make of a transaction, written once.
#pragma once

#include "modules/credits/config.hpp"
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

}  // namespace tally::runtime
