#include "primitives/finality/vote.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally {

Bytes statement_bytes(const Hash& genesis_hash, const Statement& statement) {
  Encoder out;
  out.raw(domain_tag("vote"));
  encode_to(out, genesis_hash);
  encode_to(out, statement);
  return std::move(out).take();
}

}  // namespace tally
