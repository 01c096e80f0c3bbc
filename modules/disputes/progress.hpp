// Private to the module: what moves a dispute on without anybody's call.
#pragma once

#include "modules/disputes/storage.hpp"
#include "modules/support/context.hpp"

namespace tally::disputes {

// Has the chain look at the dispute at this time, and writes it.
void put_and_wake(Context& ctx, DisputeNumber number, Dispute& dispute, TimestampMs at);
// Asks for a draw: the last in the line.
void ask_draw(Context& ctx, DisputeNumber number);

// Who can be drawn for this receipt: drawable workers without its parties and their delegators.
struct PoolQuery {
  const task::Receipt& receipt;
  AccountId challenger;
};
Pool drawable_pool(Context& ctx, const PoolQuery& query);

// Fixes beacons; makes at most Config.draws_max draws.
void draw_waiting(Context& ctx);
// Acts on a dispute whose entry in the queue came due.
void wake(Context& ctx, DisputeNumber number);

}  // namespace tally::disputes
