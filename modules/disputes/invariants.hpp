// The module's invariants, as README.md numbers them, over what changed.
#pragma once

#include "modules/disputes/config.hpp"
#include "modules/support/changes.hpp"

namespace tally::disputes {

// `after` is the state with the view's changes.
Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config);

}  // namespace tally::disputes
