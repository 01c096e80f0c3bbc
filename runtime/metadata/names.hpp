// How C++ names become metadata names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tally::metadata {

// "not_found" → "NotFound"
inline std::string pascal_case(std::string_view snake) {
  std::string out;
  bool upper = true;
  for (const char c : snake) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out.push_back(upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    upper = false;
  }
  return out;
}

// "a::b::C" → {"a", "b", "C"}
inline std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t at = path.find("::");
    out.emplace_back(path.substr(0, at));
    if (at == std::string_view::npos) return out;
    path.remove_prefix(at + 2);
  }
}

// The name of a class or enumeration with its namespaces, as the compiler writes it: both compilers
// put it between "T = " and the next ';' or ']'.
template <class T>
constexpr std::string_view cpp_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  return text.substr(0, text.find_first_of(";]"));
}

}  // namespace tally::metadata
