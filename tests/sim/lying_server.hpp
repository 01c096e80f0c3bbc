// A node that is honest in consensus and serves those who sync badly: false heads, ranges without
// their proof or with another body, parts of another state, proofs that were changed, false
// refusals, silence.
#pragma once

#include <optional>

#include "primitives/bytes.hpp"
#include "tests/sim/random.hpp"

namespace tally::sim {

// What leaves in place of a frame; none: nothing does.
std::optional<Bytes> lie_to_newcomers(Random& random, const Bytes& frame);

}  // namespace tally::sim
