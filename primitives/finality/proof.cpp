#include "primitives/finality/proof.hpp"

namespace tally {
namespace {

bool is_set_item(const DigestItem& item) {
  const auto* consensus = std::get_if<DigestConsensus>(&item);
  return consensus != nullptr && consensus->engine == kSimplexEngine;
}

}  // namespace

bool has_set_item(const Header& header) {
  for (const DigestItem& item : header.digest) {
    if (is_set_item(item)) return true;
  }
  return false;
}

std::optional<ValidatorSet> named_set(const Header& header) {
  std::optional<ValidatorSet> found;
  for (const DigestItem& item : header.digest) {
    if (!is_set_item(item)) continue;
    if (found) return std::nullopt;
    auto set = decode<ValidatorSet>(std::get<DigestConsensus>(item).data);
    if (!set.ok()) return std::nullopt;
    found = std::move(*set);
  }
  return found;
}

DigestItem make_set_item(const ValidatorSet& set) {
  return DigestConsensus{kSimplexEngine, encode(set)};
}

bool is_filler(const Header& header, const Header& parent) {
  return header.number == parent.number && header.parent_hash == block_hash(parent) &&
         header.state_root == parent.state_root &&
         header.extrinsics_root == parent.extrinsics_root && header.digest.size() == 1 &&
         consensus_digest(header).has_value();
}

Result<void, ProofError> verify(const FinalityProof& proof, const FinalityContext& context,
                                const VoteVerifier& verifier) {
  const Statement& statement = proof.finalization.statement;
  if (statement.kind != VoteKind::finalize) return fail(ProofError::not_a_finalization);
  const Header* below = &proof.header;
  auto digest = consensus_digest(*below);
  if (!digest) return fail(ProofError::missing_digest);
  if (digest->epoch != context.epoch) return fail(ProofError::wrong_epoch);
  for (const Header& header : proof.descendants) {
    const auto next = consensus_digest(header);
    if (!next) return fail(ProofError::missing_digest);
    if (next->epoch != context.epoch) return fail(ProofError::wrong_epoch);
    if (header.parent_hash != block_hash(*below)) return fail(ProofError::broken_chain);
    if (next->view <= digest->view) return fail(ProofError::bad_view);
    const bool follows = header.number.value.value == below->number.value.value + 1;
    if (!follows && !is_filler(header, *below)) return fail(ProofError::bad_height);
    below = &header;
    digest = next;
  }
  if (block_hash(*below) != statement.hash) return fail(ProofError::broken_chain);
  if (digest->view != statement.view) return fail(ProofError::bad_view);
  if (!verify(proof.finalization, context, verifier).ok()) {
    return fail(ProofError::bad_certificate);
  }
  return {};
}

Result<ValidatorSet, ProofError> verify_epoch_proof(const EpochProof& proof,
                                                    const FinalityContext& context, BlockNumber end,
                                                    const VoteVerifier& verifier) {
  if (proof.header.number.value != end) return fail(ProofError::not_epoch_end);
  const Header* below = &proof.header;
  for (const Header& header : proof.descendants) {
    if (!is_filler(header, *below)) return fail(ProofError::not_a_filler);
    below = &header;
  }
  auto set = named_set(proof.header);
  if (!set || !set->check().ok()) return fail(ProofError::bad_next_set);
  TALLY_TRY(verify(proof, context, verifier));
  return *std::move(set);
}

}  // namespace tally
