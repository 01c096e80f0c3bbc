// What the TOML library must not be given. toml++ 3.3 has undefined behaviour for some letters
// beyond ASCII where TOML has no place for them, and where a string begins it alone can tell: so
// they stand in comments only, and are written \uXXXX in strings.
#pragma once

#include <string_view>

#include "primitives/result.hpp"

namespace tally {

// The error names the line. Strings over several lines are refused too: no setting is one.
Result<void, Error> check_config_text(std::string_view text);

}  // namespace tally
