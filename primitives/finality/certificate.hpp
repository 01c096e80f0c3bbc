// Certificates: one statement signed by validators of at least quorum weight. A certificate stands
// alone as proof for anyone who knows the epoch's validator set and the genesis hash.
#pragma once

#include <cstdint>
#include <vector>

#include "primitives/finality/validator_set.hpp"
#include "primitives/finality/vote.hpp"

namespace tally {

struct Certificate {
  Statement statement;
  BoundedVec<std::uint8_t, kMaxValidators / 8> signers;  // bit i of byte i/8 = validator i signed
  BoundedVec<Ed25519Signature, kMaxValidators> signatures;  // in index order
  friend bool operator==(const Certificate&, const Certificate&) = default;
};
TALLY_DESCRIBE(Certificate, statement, signers, signatures);

using Notarization = Certificate;
using Nullification = Certificate;
using Finalization = Certificate;

enum class CertificateError : std::uint8_t {
  wrong_epoch,
  bad_hash,         // a Nullification with a hash, anything else without one
  bad_bitmap_size,  // not exactly ⌈n/8⌉ bytes
  unknown_signer,   // a bit beyond the set
  count_mismatch,   // not one signature a signer
  below_quorum,
  bad_signature,
};
TALLY_DESCRIBE_ENUM(CertificateError, wrong_epoch, bad_hash, bad_bitmap_size, unknown_signer,
                    count_mismatch, below_quorum, bad_signature);

// The epoch that a verifier expects and the set that serves in it.
struct FinalityContext {
  Hash genesis_hash;
  Epoch epoch;
  const ValidatorSet* set = nullptr;
};

// Signers in index order; empty when the bitmap does not fit the set.
std::vector<ValidatorIndex> signers_of(const Certificate& certificate, std::size_t set_size);

// Everything but the signatures: shape, epoch, weight.
Result<void, CertificateError> check_shape(const Certificate& certificate,
                                           const FinalityContext& context);
// Shape and every signature.
Result<void, CertificateError> verify(const Certificate& certificate,
                                      const FinalityContext& context,
                                      const VoteVerifier& verifier = Ed25519VoteVerifier());

// Votes of one statement, at most one a signer, of quorum weight together: a bug otherwise.
Certificate make_certificate(const std::vector<Vote>& votes, const ValidatorSet& set);

}  // namespace tally
