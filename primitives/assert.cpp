#include "primitives/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace tally {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "bug: %s:%d: expected %s\n", file, line, condition);
  std::abort();
}

}  // namespace tally
