#include "primitives/config_text.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace tally {

TEST_CASE("letters beyond ASCII stand in comments of a configuration, and nowhere else") {
  const auto error_of = [](std::string_view text) {
    const auto checked = check_config_text(text);
    return checked.ok() ? std::string("taken") : checked.error().message;
  };
  CHECK(error_of("a = \"\\u00f6\" # ö\n# ö 'ö\r\nb = '#'\t# ö\n") == "taken");
  CHECK(error_of("a = \"\\\"\" # ö") == "taken");
  CHECK(error_of("a = 1\nö = 2").starts_with("line 2: expected ASCII"));
  CHECK(error_of("a = \"#ö\"").starts_with("line 1: expected ASCII"));
  CHECK(error_of("a = '\\' ö").starts_with("line 1: expected ASCII"));
  CHECK(error_of("a = 1\n\x01").starts_with("line 2: expected text"));
  CHECK(error_of("a = 'b\n'").starts_with("line 1: expected the string to end"));
}

}  // namespace tally
