#include "primitives/finality/certificate.hpp"

#include <algorithm>

namespace tally {
namespace {

bool has_bit(const Certificate& certificate, std::size_t index) {
  return (certificate.signers[index / 8] >> (index % 8) & 1) != 0;
}

}  // namespace

std::vector<ValidatorIndex> signers_of(const Certificate& certificate, std::size_t set_size) {
  std::vector<ValidatorIndex> out;
  if (certificate.signers.size() != (set_size + 7) / 8) return out;
  for (std::size_t i = 0; i < set_size; ++i) {
    if (has_bit(certificate, i)) out.push_back(ValidatorIndex(static_cast<std::uint16_t>(i)));
  }
  return out;
}

Result<void, CertificateError> check_shape(const Certificate& certificate,
                                           const FinalityContext& context) {
  const ValidatorSet& set = *context.set;
  const Statement& statement = certificate.statement;
  if (statement.epoch != context.epoch) return fail(CertificateError::wrong_epoch);
  if ((statement.kind == VoteKind::nullify) != statement.hash.is_zero()) {
    return fail(CertificateError::bad_hash);
  }
  if (certificate.signers.size() != (set.size() + 7) / 8) {
    return fail(CertificateError::bad_bitmap_size);
  }
  for (std::size_t i = set.size(); i < certificate.signers.size() * 8; ++i) {
    if (has_bit(certificate, i)) return fail(CertificateError::unknown_signer);
  }
  const auto signers = signers_of(certificate, set.size());
  if (signers.size() != certificate.signatures.size()) {
    return fail(CertificateError::count_mismatch);
  }
  std::uint64_t weight = 0;
  for (const ValidatorIndex signer : signers) weight += set.at(signer).weight;
  if (weight < set.quorum()) return fail(CertificateError::below_quorum);
  return {};
}

Result<void, CertificateError> verify(const Certificate& certificate,
                                      const FinalityContext& context,
                                      const VoteVerifier& verifier) {
  TALLY_TRY(check_shape(certificate, context));
  const Bytes message = statement_bytes(context.genesis_hash, certificate.statement);
  const auto signers = signers_of(certificate, context.set->size());
  for (std::size_t i = 0; i < signers.size(); ++i) {
    const Ed25519Key& key = context.set->at(signers[i]).consensus_key;
    if (!verifier.verify(key, message, certificate.signatures[i])) {
      return fail(CertificateError::bad_signature);
    }
  }
  return {};
}

Certificate make_certificate(const std::vector<Vote>& votes, const ValidatorSet& set) {
  TALLY_ASSERT(!votes.empty());
  std::vector<Vote> sorted = votes;
  std::sort(sorted.begin(), sorted.end(),
            [](const Vote& a, const Vote& b) { return a.signer < b.signer; });
  std::vector<std::uint8_t> bitmap((set.size() + 7) / 8, 0);
  std::vector<Ed25519Signature> signatures;
  std::uint64_t weight = 0;
  for (const Vote& vote : sorted) {
    TALLY_ASSERT(vote.statement == sorted.front().statement && set.contains(vote.signer));
    std::uint8_t& byte = bitmap[vote.signer.value / 8];
    const auto bit = static_cast<std::uint8_t>(1u << (vote.signer.value % 8));
    TALLY_ASSERT((byte & bit) == 0);
    byte = static_cast<std::uint8_t>(byte | bit);
    signatures.push_back(vote.signature);
    weight += set.at(vote.signer).weight;
  }
  TALLY_ASSERT(weight >= set.quorum());
  Certificate out;
  out.statement = sorted.front().statement;
  out.signers = *decltype(out.signers)::from(std::move(bitmap));
  out.signatures = *decltype(out.signatures)::from(std::move(signatures));
  return out;
}

}  // namespace tally
