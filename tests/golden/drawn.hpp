// How to draw the types that have a codec of their own.
#pragma once

#include "modules/support/error.hpp"
#include "tests/support/draw.hpp"

namespace tally::tests {

template <>
struct Drawn<DispatchError> {
  static DispatchError draw(Source& from) {
    DispatchError out;
    out.kind = tests::draw<DispatchError::Variant>(from);
    return out;
  }
};

}  // namespace tally::tests
