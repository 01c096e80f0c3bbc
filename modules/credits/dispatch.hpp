// The module's calls as the runtime runs them.
#pragma once

#include "modules/credits/calls.hpp"
#include "modules/support/context.hpp"

namespace tally::credits {

CallProperties properties(const Call& call);
// Applies whole or changes nothing but what the caller's transaction takes back.
DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call);

}  // namespace tally::credits
