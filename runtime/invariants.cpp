#include "runtime/invariants.hpp"

#include "modules/channels/invariants.hpp"
#include "modules/credits/invariants.hpp"

namespace tally::runtime {

Violation find_violation(const ChangeView& view, const StateReader& after, const Configs& configs) {
  if (auto found = credits::find_violation(view, configs.credits)) return found;
  return channels::find_violation(view, after, configs.channels);
}

}  // namespace tally::runtime
