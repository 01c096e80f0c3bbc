// Readies libsodium before its first use: picks the fastest implementation that this processor has
// and opens the operating system's random source. Any number of calls, from any thread.
#pragma once

namespace tally::detail {

void ready_sodium();

}  // namespace tally::detail
