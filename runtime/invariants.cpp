#include "runtime/invariants.hpp"

#include "modules/credits/invariants.hpp"

namespace tally::runtime {

Violation find_violation(const ChangeView& view, const Configs& configs) {
  return credits::find_violation(view, configs.credits);
}

}  // namespace tally::runtime
