#include "primitives/config_text.hpp"

#include <string>

namespace tally {
namespace {

enum class Within { nothing, comment, basic_string, literal_string };

Within after(Within state, char c) {
  if (state == Within::nothing) {
    if (c == '#') return Within::comment;
    if (c == '"') return Within::basic_string;
    if (c == '\'') return Within::literal_string;
  }
  const bool ends =
      (state == Within::basic_string && c == '"') || (state == Within::literal_string && c == '\'');
  return ends ? Within::nothing : state;
}

}  // namespace

Result<void, Error> check_config_text(std::string_view text) {
  Within state = Within::nothing;
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto wrong = [&](const std::string& what) {
      return fail_with("line " + std::to_string(line) + ": " + what);
    };
    if (c == '\n') {
      if (state == Within::basic_string || state == Within::literal_string) {
        return wrong("expected the string to end on its line");
      }
      state = Within::nothing;
      ++line;
    } else if (state != Within::comment && static_cast<unsigned char>(c) >= 0x80) {
      return wrong(
          "expected ASCII; another letter stands in a comment, or as \\uXXXX in double quotes");
    } else if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') {
      return wrong("expected text, got a control character");
    } else if (state == Within::basic_string && c == '\\' &&
               !text.substr(i + 1).starts_with('\n')) {
      ++i;
    } else {
      state = after(state, c);
    }
  }
  return {};
}

}  // namespace tally
