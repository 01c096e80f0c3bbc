#include "runtime/invariants.hpp"

#include "modules/channels/invariants.hpp"
#include "modules/credits/invariants.hpp"
#include "modules/disputes/invariants.hpp"
#include "modules/storage_registry/invariants.hpp"
#include "modules/validators/invariants.hpp"
#include "modules/workers/invariants.hpp"

namespace tally::runtime {

Violation find_violation(const ChangeView& view, const StateReader& after, const Configs& configs) {
  if (auto found = credits::find_violation(view, configs.credits)) return found;
  if (auto found = channels::find_violation(view, after, configs.channels)) return found;
  if (auto found = workers::find_violation(view, after, configs.workers)) return found;
  if (auto found = disputes::find_violation(view, after, configs.disputes)) return found;
  if (auto found = storage_registry::find_violation(view, after, configs.storage_registry)) {
    return found;
  }
  return validators::find_violation(view, after, configs.validators);
}

}  // namespace tally::runtime
