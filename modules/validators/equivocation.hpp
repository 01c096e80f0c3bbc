// Private to the module: evidence, and what it costs.
#pragma once

#include "modules/validators/api.hpp"

namespace tally::validators {

DispatchResult report_equivocation(Context& ctx, const AccountId& reporter,
                                   const Evidence& evidence);

}  // namespace tally::validators
