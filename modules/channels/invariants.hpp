// The module's invariants, as README.md numbers them, over what changed.
#pragma once

#include "modules/channels/config.hpp"
#include "modules/support/changes.hpp"

namespace tally::channels {

// `after` is the state with the view's changes.
Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config);

}  // namespace tally::channels
