#include "primitives/header.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally {

Hash block_hash(const Header& header) {
  return blake2_256(encode(header));
}

std::optional<ConsensusDigest> consensus_digest(const Header& header) {
  const DigestPreRuntime* found = nullptr;
  for (const DigestItem& item : header.digest) {
    const auto* candidate = std::get_if<DigestPreRuntime>(&item);
    if (candidate == nullptr || candidate->engine != kSimplexEngine) continue;
    if (found != nullptr) return std::nullopt;
    found = candidate;
  }
  if (found == nullptr) return std::nullopt;
  auto decoded = decode<ConsensusDigest>(found->data);
  if (!decoded) return std::nullopt;
  return *decoded;
}

DigestItem make_consensus_digest(const ConsensusDigest& digest) {
  return DigestPreRuntime{kSimplexEngine, encode(digest)};
}

}  // namespace tally
