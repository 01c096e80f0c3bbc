// What nodes send each other.
#include "node/core/wire.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  decode_strictly<core::WireMessage>(input);
  decode_strictly<consensus::Envelope>(input);
}

}  // namespace tally::fuzz
