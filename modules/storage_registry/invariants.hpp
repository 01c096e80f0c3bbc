// The module's invariants, as README.md numbers them, over what changed.
#pragma once

#include "modules/storage_registry/config.hpp"
#include "modules/support/changes.hpp"

namespace tally::storage_registry {

// `after` is the state with the changes.
Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config);

}  // namespace tally::storage_registry
