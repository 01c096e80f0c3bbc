// The property of every decoder: bytes that decode encode to the very same bytes.
#pragma once

#include "primitives/codec/scale.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

template <class T>
void decode_strictly(ByteView input) {
  const auto value = decode<T>(input);
  if (value.ok()) {
    TALLY_ASSERT(equal(encode(*value), input));
  } else {
    TALLY_ASSERT(value.error().offset <= input.size());
  }
}

}  // namespace tally::fuzz
