// Why a transaction was refused, in words: what was expected, what came, what to do.
//
// For people; programs go by the code (ports::RejectCode).
#pragma once

#include <string>

#include "modules/system/api.hpp"
#include "runtime/validity.hpp"

namespace tally::txpool {

// Of bytes that are no transaction of this chain.
std::string explain_undecodable(ByteView extrinsic);

// `parent` is the block that the transaction was judged on.
std::string explain(runtime::InvalidTransaction reason, const runtime::Transaction& tx,
                    const system::Parent& parent);

}  // namespace tally::txpool
