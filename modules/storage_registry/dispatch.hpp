// The module's calls as the runtime runs them.
//
// dispatch() applies a call whole or refuses it and has changed nothing but what the caller's
// transaction takes back. Rejections: errors.hpp, in order of precedence; then those of credits for
// funds that are missing.
#pragma once

#include "modules/storage_registry/calls.hpp"
#include "modules/support/context.hpp"

namespace tally::storage_registry {

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call);

}  // namespace tally::storage_registry
