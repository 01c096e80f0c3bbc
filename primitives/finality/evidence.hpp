// Evidence: two votes of one validator that an honest one never signs both, in one epoch and view:
// two different Notarize, two different Finalize, or Nullify and Finalize. It convicts by itself.
// Notarize and Nullify in one view are legal and are no evidence.
#pragma once

#include "primitives/finality/certificate.hpp"

namespace tally {

struct Evidence {
  Vote first;
  Vote second;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};
TALLY_DESCRIBE(Evidence, first, second);

enum class EvidenceError : std::uint8_t {
  not_a_conflict,
  unknown_signer,
  wrong_epoch,
  bad_signature
};
TALLY_DESCRIBE_ENUM(EvidenceError, not_a_conflict, unknown_signer, wrong_epoch, bad_signature);

// Whether the two statements must never come from one validator.
bool conflict(const Statement& a, const Statement& b);

// On success: who is convicted.
Result<ValidatorIndex, EvidenceError> verify(const Evidence& evidence,
                                             const FinalityContext& context,
                                             const VoteVerifier& verifier = Ed25519VoteVerifier());

}  // namespace tally
