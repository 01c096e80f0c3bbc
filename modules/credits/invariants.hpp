// The module's invariants, as README.md numbers them, over what changed.
#pragma once

#include "modules/credits/config.hpp"
#include "modules/support/changes.hpp"

namespace tally::credits {

Violation find_violation(const ChangeView& view, const Config& config);

}  // namespace tally::credits
