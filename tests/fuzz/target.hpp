// What every fuzz target includes. A target defines run(), which must hold for any bytes at all;
// what it checks it checks with TALLY_ASSERT, so that a broken property stops the fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

#include "primitives/assert.hpp"
#include "primitives/bytes.hpp"

namespace tally::fuzz {

void run(ByteView input);

// What the fuzzer fed; said at the end, for tools/fuzz.
struct Fed {
  std::uint64_t bytes = 0;
  ~Fed() {
    std::fprintf(stderr, "tally fuzz: %llu bytes\n", static_cast<unsigned long long>(bytes));
  }
};

}  // namespace tally::fuzz

extern "C" inline __attribute__((used)) int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                                                   std::size_t size) {
  static tally::fuzz::Fed fed;
  fed.bytes += size;
  tally::fuzz::run({data, size});
  return 0;
}
