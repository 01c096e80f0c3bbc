// The module's calls as the runtime runs them.
//
// dispatch() applies a call whole or refuses it and has changed nothing but what the caller's
// transaction takes back. Rejections: errors.hpp, in order of precedence; then those of credits for
// funds that are missing.
#pragma once

#include "modules/support/context.hpp"
#include "modules/workers/calls.hpp"

namespace tally::workers {

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call);

}  // namespace tally::workers
