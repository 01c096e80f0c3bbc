// Assertions that stay on in release builds.
//
// TALLY_ASSERT states what must hold whatever the input was: a failure is a bug of ours and ends
// the process with the place and the condition. Bad input is never a bug: it is answered with a
// Result.
#pragma once

namespace tally {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace tally

#define TALLY_ASSERT(condition)                        \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::tally::assertion_failed(#condition, __FILE__, __LINE__))
