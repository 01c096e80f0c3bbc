#include "modules/disputes/ballot.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::disputes {

Hash commitment_of(const Ballot& ballot) {
  return blake2_256({domain_tag("dispute-commit"), encode(ballot)});
}

const Hash& failed_output_hash() {
  static const Hash kHash = blake2_256(domain_tag("task-failed"));
  return kHash;
}

}  // namespace tally::disputes
