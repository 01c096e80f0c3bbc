#include "primitives/header.hpp"

#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto header = decode<Header>(input);
  if (header.ok()) {
    if (const auto digest = consensus_digest(*header)) {
      Header again = *header;
      again.digest = {make_consensus_digest(*digest)};
      TALLY_ASSERT(consensus_digest(again) == digest);
    }
  }
  decode_strictly<Header>(input);
  decode_strictly<Block>(input);
  decode_strictly<ConsensusDigest>(input);
}

}  // namespace tally::fuzz
