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

Header make_filler(const Header& parent, const ConsensusDigest& digest) {
  Header filler = parent;
  filler.parent_hash = block_hash(parent);
  if (has_set_item(parent)) filler.extrinsics_root = filler.parent_hash;
  filler.digest = {make_consensus_digest(digest)};
  return filler;
}

bool is_filler_on(const Header& header, const Header& parent) {
  const auto digest = consensus_digest(header);
  return digest && header == make_filler(parent, *digest);
}

bool is_filler_of(const Header& header, const Header& last) {
  return has_set_item(last) && header.number == last.number &&
         header.state_root == last.state_root && header.extrinsics_root == block_hash(last) &&
         header.digest.size() == 1 && consensus_digest(header).has_value();
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
    if (next->view <= digest->view) return fail(ProofError::bad_view);
    const bool last = &header == &proof.descendants.items().back();
    if (!(last && is_filler_of(header, *below))) {
      if (header.parent_hash != block_hash(*below)) return fail(ProofError::broken_chain);
      const bool follows = header.number.value.value == below->number.value.value + 1;
      if (!follows) return fail(ProofError::bad_height);
    }
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
  for (const Header& header : proof.descendants) {
    const bool one = proof.descendants.size() == 1;
    if (!one || !is_filler_of(header, proof.header)) return fail(ProofError::not_a_filler);
  }
  auto set = named_set(proof.header);
  if (!set || !set->check().ok()) return fail(ProofError::bad_next_set);
  TALLY_TRY(verify(proof, context, verifier));
  return *std::move(set);
}

}  // namespace tally
