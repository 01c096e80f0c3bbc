// What a chain whose credits are worth something should not have: keys that everybody knows, and
// times that are there for tests.
#pragma once

#include <string>
#include <vector>

#include "genesis/chain_spec.hpp"

namespace tally::genesis {

// A sentence for each, for people; none for a chain that is not "Live".
std::vector<std::string> unfit_for_live(const ChainSpec& spec);

}  // namespace tally::genesis
