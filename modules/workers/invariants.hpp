// The module's invariants, as README.md numbers them, over what changed.
#pragma once

#include "modules/support/changes.hpp"
#include "modules/workers/config.hpp"

namespace tally::workers {

// `after` is the state with the changes.
Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config);

}  // namespace tally::workers
