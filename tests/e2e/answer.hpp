// What `tally --json` answered.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/support/process.hpp"

namespace tally::tests {

using Json = nlohmann::json;

struct Answer {
  int exit_code = -1;
  Json json;
};

// The value is printed last and starts a line; progress may come before it.
inline Answer answer_of(const Ended& ended) {
  const bool first = ended.output.starts_with("{") || ended.output.starts_with("[");
  const auto at = first ? 0 : ended.output.find("\n{");
  if (at == std::string::npos) return {ended.exit_code, {}};
  return {ended.exit_code, Json::parse(ended.output.substr(at), nullptr, false)};
}

}  // namespace tally::tests
