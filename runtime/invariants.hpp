// Every module's invariants over what a block changed.
#pragma once

#include "modules/support/changes.hpp"
#include "runtime/configs.hpp"

namespace tally::runtime {

// What is broken, or nothing. The state before the changes is taken to be sound; `after` is the
// state with them.
Violation find_violation(const ChangeView& view, const StateReader& after, const Configs& configs);

}  // namespace tally::runtime
