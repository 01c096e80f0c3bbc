// Chain specifications: what is accepted has a meaning and is written back as itself.
#include "genesis/chain_spec.hpp"

#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto spec = genesis::parse_chain_spec(as_text(input));
  if (spec.ok()) {
    TALLY_ASSERT(genesis::check_chain_spec(*spec).ok());
  } else {
    TALLY_ASSERT(!spec.error().message.empty());
  }
}

}  // namespace tally::fuzz
