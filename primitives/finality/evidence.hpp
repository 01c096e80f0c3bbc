// Evidence: two votes of one validator that an honest one never signs both, in one epoch and view:
// two different Notarize, two different Finalize, or Nullify and Finalize. It convicts by itself.
// Notarize and Nullify in one view are legal and are no evidence.
#pragma once

#include <compare>
#include <optional>

#include "primitives/finality/certificate.hpp"

namespace tally {

struct Evidence {
  Vote first;
  Vote second;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};
TALLY_DESCRIBE(Evidence, first, second);

enum class EvidenceKind : std::uint8_t {
  two_notarize = 0,
  two_finalize = 1,
  nullify_and_finalize = 2,
};
TALLY_DESCRIBE_ENUM(EvidenceKind, two_notarize, two_finalize, nullify_and_finalize);

// What the evidence shows, whichever two votes show it and in whichever order: evidence with one id
// is of one offence.
struct EvidenceId {
  ValidatorIndex validator;  // in the epoch's set
  Epoch epoch;
  View view;
  EvidenceKind kind{};
  friend auto operator<=>(const EvidenceId&, const EvidenceId&) = default;
};
TALLY_DESCRIBE(EvidenceId, validator, epoch, view, kind);

enum class EvidenceError : std::uint8_t {
  not_a_conflict,
  unknown_signer,
  wrong_epoch,
  bad_signature
};
TALLY_DESCRIBE_ENUM(EvidenceError, not_a_conflict, unknown_signer, wrong_epoch, bad_signature);

// Whether the two statements must never come from one validator.
bool conflict(const Statement& a, const Statement& b);

// What the two votes show; nothing when they are of two signers or do not conflict.
std::optional<EvidenceId> evidence_id(const Evidence& evidence);

// On success: who is convicted.
Result<ValidatorIndex, EvidenceError> verify(const Evidence& evidence,
                                             const FinalityContext& context,
                                             const VoteVerifier& verifier = Ed25519VoteVerifier());

}  // namespace tally
