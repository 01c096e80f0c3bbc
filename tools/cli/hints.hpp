// What to do when the chain refuses a call: one sentence for the rejections that a person meets.
#pragma once

#include <string>

namespace tally::cli {

// Of a code such as "Workers.nothing_to_withdraw"; empty where the code says it all.
std::string hint_for(const std::string& code);

}  // namespace tally::cli
