// The module's calls and hooks as the runtime runs them.
//
// dispatch() applies a call whole or refuses it and has changed nothing but what the caller's
// transaction takes back. Rejections: errors.hpp, in order of precedence; then those of credits for
// funds that are missing. Everything else happens by itself in on_block_start.
#pragma once

#include "modules/disputes/calls.hpp"
#include "modules/disputes/errors.hpp"
#include "modules/disputes/events.hpp"
#include "modules/disputes/rules.hpp"
#include "modules/support/context.hpp"

namespace tally::disputes {

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call);

// Fixes the beacons of the draws that are ready, makes at most Config.draws_max draws, and acts on
// at most Config.deadlines_max deadlines. After the hooks of validators.
void on_block_start(Context& ctx);
// Takes the pools of this block's challenges. After the block's last extrinsic.
void on_block_end(Context& ctx);
// Whether on_block_start in a block at this chain time would have something to do, or a draw waits
// for blocks to come.
bool deadline_due(const StateReader& state, const Config& config, TimestampMs chain_time);

}  // namespace tally::disputes
