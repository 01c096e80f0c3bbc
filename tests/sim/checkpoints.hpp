// Checkpoints of a simulated chain: calls that record and remove them, and an audit of a final
// state that knows the registry's bytes and none of its code.
#pragma once

#include <optional>
#include <string>

#include "node/ports/store.hpp"
#include "runtime/call.hpp"
#include "tests/sim/random.hpp"

namespace tally::sim {

// Of few labels and few indices, so that labels are used again and what is removed was there.
runtime::RuntimeCall checkpoint_call(Random& random);

// What is wrong with the newest final state's checkpoints, if anything: deposits that are not what
// is held for them, an index list that is not what is there, a `latest` that names another.
std::optional<std::string> audit_checkpoints(const ports::Store& store);

}  // namespace tally::sim
