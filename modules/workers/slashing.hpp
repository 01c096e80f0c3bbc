// Slashes: who may ask for one, and what it does to a worker and its delegators.
#pragma once

#include "modules/support/context.hpp"
#include "modules/workers/calls.hpp"
#include "modules/workers/config.hpp"

namespace tally::workers {

std::uint8_t slash_percent(const SlashShares& shares, SlashReason reason);

DispatchResult approve_slash(Context& ctx, const AccountId& member, const ApproveSlash& call);

// Cancels rewards that are not vested.
void lose_rewards(Context& ctx, const AccountId& account, Worker& worker);

}  // namespace tally::workers
