// Proofs from peers: of a place in a list, and of a key in the state.
#include "primitives/merkle/merkle.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/merkle/state_proof.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {
namespace {

std::vector<Hash> make_items() {
  std::vector<Hash> out;
  for (std::uint8_t i = 0; i < 11; ++i) out.push_back(blake2_256(Bytes{i}));
  return out;
}

}  // namespace

void run(ByteView input) {
  static const std::vector<Hash> kItems = make_items();
  static const Hash kRoot = merkle_root(kItems);
  const auto inclusion = decode<InclusionProof>(input);
  if (inclusion.ok()) {
    for (std::size_t i = 0; i < kItems.size(); ++i) {
      if (!verify_inclusion(kRoot, kItems[i], *inclusion)) continue;
      // The path alone fixes the turns; a list of another length may turn alike.
      TALLY_ASSERT(inclusion->path == prove_inclusion(kItems, i)->path);
    }
    TALLY_ASSERT(!verify_inclusion(kRoot, Hash(), *inclusion));
  }
  const auto range = decode<Mmr>(input);
  if (range.ok() && range->is_well_formed()) {
    Mmr longer = *range;
    if (longer.count != ~std::uint64_t{0}) {
      longer.append(kRoot);
      TALLY_ASSERT(longer.is_well_formed() && longer.root() != range->root());
    }
  }
  const auto state = decode<StateProof>(input);
  // Nobody can show a key in the empty state, nor find a proof for a root that is no node's hash.
  if (state.ok()) {
    const auto value = verify_state_proof(Hash(), as_bytes("key"), *state);
    TALLY_ASSERT(!value.ok() || !value->has_value());
    TALLY_ASSERT(!verify_state_proof(kItems[0], as_bytes("key"), *state).ok());
  }
  decode_strictly<InclusionProof>(input);
  decode_strictly<Mmr>(input);
  decode_strictly<StateProof>(input);
}

}  // namespace tally::fuzz
