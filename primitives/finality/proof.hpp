// Proofs that a block is final, for anyone who knows the validator set of its epoch.
//
// FinalityProof: a header, the headers of the blocks above it up to one that a Finalization names,
// and that Finalization. An epoch proof is the same for B, the last block of an epoch, where what
// stands above B are fillers: blocks with B's height and state root, without transactions, which
// exist only so that a Finalization can form. A filler has B's hash in the place of an extrinsics
// root, so that one filler proves B final however many stand between the two. Epoch proofs, one an
// epoch, form the chain of trust from genesis: each names the set of the epoch after the next.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "primitives/finality/certificate.hpp"
#include "primitives/header.hpp"

namespace tally {

constexpr std::size_t kMaxProofHeaders = 4'096;

struct FinalityProof {
  Header header;  // what is proved final
  // Each the parent of the next; only the last may be a filler, of the one before it.
  BoundedVec<Header, kMaxProofHeaders> descendants;
  Finalization finalization;  // of the last of them, or of `header`
  friend bool operator==(const FinalityProof&, const FinalityProof&) = default;
};
TALLY_DESCRIBE(FinalityProof, header, descendants, finalization);
using EpochProof = FinalityProof;

enum class ProofError : std::uint8_t {
  bad_certificate,
  not_a_finalization,
  missing_digest,  // a header without its consensus digest
  wrong_epoch,
  broken_chain,  // a header that does not name the one below it
  bad_view,      // views that do not rise, or are not the certificate's
  bad_height,
  not_a_filler,   // in an epoch proof, above B
  not_epoch_end,  // B's height is not the end of the epoch
  bad_next_set,   // B names no set, or one that check() refuses
};
TALLY_DESCRIBE_ENUM(ProofError, bad_certificate, not_a_finalization, missing_digest, wrong_epoch,
                    broken_chain, bad_view, bad_height, not_a_filler, not_epoch_end, bad_next_set);

// The set that a header names in its Consensus digest item; nothing if it names none. Malformed or
// repeated items: nothing either.
std::optional<ValidatorSet> named_set(const Header& header);
bool has_set_item(const Header& header);
DigestItem make_set_item(const ValidatorSet& set);

// A filler on `parent`, which is the epoch's last block or a filler itself.
Header make_filler(const Header& parent, const ConsensusDigest& digest);
// Whether it is what make_filler() gives for some digest.
bool is_filler_on(const Header& header, const Header& parent);
// Whether it is a filler for `last`, an epoch's last block, whatever stands between them.
bool is_filler_of(const Header& header, const Header& last);

// `descendants` may be ordinary blocks and, at the end of an epoch, a filler.
Result<void, ProofError> verify(const FinalityProof& proof, const FinalityContext& context,
                                const VoteVerifier& verifier = Ed25519VoteVerifier());

// As above, for the last block of context.epoch at height `end`. On success: the set of the epoch
// after the next.
Result<ValidatorSet, ProofError> verify_epoch_proof(
    const EpochProof& proof, const FinalityContext& context, BlockNumber end,
    const VoteVerifier& verifier = Ed25519VoteVerifier());

}  // namespace tally
