// Calls as they come in extrinsics, events as clients read them.
#include "runtime/call.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto call = decode<runtime::RuntimeCall>(input);
  if (call.ok()) (void)runtime::properties(*call);
  decode_strictly<runtime::RuntimeCall>(input);
  decode_strictly<runtime::RuntimeEvent>(input);
}

}  // namespace tally::fuzz
