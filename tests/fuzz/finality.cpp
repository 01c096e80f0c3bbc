// Votes, certificates, evidence and proofs of finality from peers. Of the four validators' votes
// only those for one block exist, so nothing else can verify.
#include "primitives/crypto/hash.hpp"
#include "primitives/finality/evidence.hpp"
#include "primitives/finality/proof.hpp"
#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {
namespace {

struct Chain {
  Hash genesis_hash = blake2_256(as_bytes("genesis"));
  ValidatorSet set;
  Header header;
  Statement finalized;
  std::vector<Vote> votes;

  Chain() {
    header.digest.push_back(make_consensus_digest({Epoch(3), View(5), TimestampMs(7), {}}));
    finalized = {Epoch(3), VoteKind::finalize, View(5), block_hash(header)};
    const Bytes message = statement_bytes(genesis_hash, finalized);
    for (std::uint8_t i = 0; i < 4; ++i) {
      const Secret secret(std::array<std::uint8_t, 32>{i, 1});
      TALLY_ASSERT(set.members.push_back({ed25519_public(secret), vrf_public(secret), {}, 1}));
      votes.push_back({finalized, ValidatorIndex(i), ed25519_sign(secret, message)});
    }
  }
  FinalityContext context() const { return {genesis_hash, Epoch(3), &set}; }
};

const Chain& chain() {
  static const Chain kChain;
  return kChain;
}

}  // namespace

void run(ByteView input) {
  const Chain& known = chain();
  const auto certificate = decode<Certificate>(input);
  if (certificate.ok() && verify(*certificate, known.context()).ok()) {
    TALLY_ASSERT(certificate->statement == known.finalized);
  }
  const auto proof = decode<FinalityProof>(input);
  if (proof.ok() && verify(*proof, known.context()).ok()) {
    TALLY_ASSERT(proof->header == known.header);
    // The one block names no next set.
    TALLY_ASSERT(!verify_epoch_proof(*proof, known.context(), BlockNumber(0)).ok());
  }
  const auto evidence = decode<Evidence>(input);
  if (evidence.ok()) TALLY_ASSERT(!verify(*evidence, known.context()).ok());
  const auto set = decode<ValidatorSet>(input);
  if (set.ok() && set->check().ok()) TALLY_ASSERT(set->quorum() <= set->total_weight());
  decode_strictly<Certificate>(input);
  decode_strictly<FinalityProof>(input);
  decode_strictly<Evidence>(input);
  decode_strictly<Vote>(input);
  decode_strictly<ValidatorSet>(input);
}

}  // namespace tally::fuzz
