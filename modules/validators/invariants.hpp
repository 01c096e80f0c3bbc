// The module's invariants (README.md) over what changed.
#pragma once

#include "modules/support/changes.hpp"
#include "modules/validators/config.hpp"

namespace tally::validators {

// What is broken, or nothing; the state before is taken to be sound.
Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config);

}  // namespace tally::validators
