// The version of the programs, as `--version` and a node's status say it. The chain's own are in
// runtime/version.hpp.
#pragma once

#include <string_view>

namespace tally {

constexpr std::string_view kProgramVersion = "0.1.0";

}  // namespace tally
