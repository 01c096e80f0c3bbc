// Reference execution time of the runtime's own work, in picoseconds. The calls' weights stand in
// the modules beside the calls. Measured with tools/bench on the reference machine, rounded up.
#pragma once

#include "primitives/ids.hpp"

namespace tally::runtime {

// Every transaction: checks, fee, nonce and events. Signatures are checked on other cores.
constexpr Weight kTransactionWeight(3'000'000);

}  // namespace tally::runtime
