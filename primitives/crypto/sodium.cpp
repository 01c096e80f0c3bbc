#include "primitives/crypto/sodium.hpp"

#include <sodium.h>

#include "primitives/assert.hpp"

namespace tally::detail {

void ready_sodium() {
  // 0: initialised now, 1: it already was. Below 0 there is no source of random bytes.
  static const int state = sodium_init();
  TALLY_ASSERT(state >= 0);
}

}  // namespace tally::detail
