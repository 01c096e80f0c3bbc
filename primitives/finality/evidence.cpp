#include "primitives/finality/evidence.hpp"

namespace tally {

bool conflict(const Statement& a, const Statement& b) {
  if (a.epoch != b.epoch || a.view != b.view) return false;
  if (a.kind == b.kind) return a.kind != VoteKind::nullify && a.hash != b.hash;
  return a.kind != VoteKind::notarize && b.kind != VoteKind::notarize;
}

std::optional<EvidenceId> evidence_id(const Evidence& evidence) {
  const Statement& a = evidence.first.statement;
  const Statement& b = evidence.second.statement;
  if (evidence.first.signer != evidence.second.signer || !conflict(a, b)) return std::nullopt;
  EvidenceKind kind = EvidenceKind::nullify_and_finalize;
  if (a.kind == b.kind) {
    kind = a.kind == VoteKind::notarize ? EvidenceKind::two_notarize : EvidenceKind::two_finalize;
  }
  return EvidenceId{evidence.first.signer, a.epoch, a.view, kind};
}

Result<ValidatorIndex, EvidenceError> verify(const Evidence& evidence,
                                             const FinalityContext& context,
                                             const VoteVerifier& verifier) {
  const Vote& first = evidence.first;
  const Vote& second = evidence.second;
  if (first.signer != second.signer || !conflict(first.statement, second.statement)) {
    return fail(EvidenceError::not_a_conflict);
  }
  if (first.statement.epoch != context.epoch) return fail(EvidenceError::wrong_epoch);
  if (!context.set->contains(first.signer)) return fail(EvidenceError::unknown_signer);
  const Ed25519Key& key = context.set->at(first.signer).consensus_key;
  for (const Vote* vote : {&first, &second}) {
    const Bytes message = statement_bytes(context.genesis_hash, vote->statement);
    if (!verifier.verify(key, message, vote->signature)) return fail(EvidenceError::bad_signature);
  }
  return first.signer;
}

}  // namespace tally
