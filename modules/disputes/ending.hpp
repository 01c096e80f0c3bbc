// Private to the module: the end of a dispute.
#pragma once

#include "modules/disputes/storage.hpp"
#include "modules/support/context.hpp"

namespace tally::disputes {

// Pays out by plan_payouts, with the consequences for reputation and for the receipt.
void finish(Context& ctx, DisputeNumber number, Dispute dispute);
// The record of an ended dispute goes; nothing else remembers it.
void forget(Context& ctx, DisputeNumber number, const Dispute& dispute);

}  // namespace tally::disputes
