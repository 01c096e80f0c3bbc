#include "primitives/merkle/state_proof.hpp"

#include "primitives/crypto/hash.hpp"
#include "primitives/merkle/merkle.hpp"

namespace tally {

StateKeyHash state_key_hash(ByteView storage_key) {
  StateKeyHash out;
  out.bytes = blake2_256(storage_key).bytes;
  return out;
}

StateValueHash state_value_hash(ByteView value) {
  StateValueHash out;
  out.bytes = blake2_256(value).bytes;
  return out;
}

Hash state_leaf_hash(const StateLeaf& leaf) {
  std::uint8_t buffer[65] = {0x00};
  std::memcpy(buffer + 1, leaf.key.bytes.data(), 32);
  std::memcpy(buffer + 33, leaf.value.bytes.data(), 32);
  return blake2_256(ByteView(buffer, sizeof buffer));
}

namespace {

bool shares_prefix(const StateKeyHash& a, const StateKeyHash& b, std::size_t bits) {
  for (std::size_t bit = 0; bit < bits; ++bit) {
    if (path_bit(a, bit) != path_bit(b, bit)) return false;
  }
  return true;
}

}  // namespace

Result<std::optional<StateValueHash>, StateProofError> verify_state_proof(const Hash& state_root,
                                                                          ByteView storage_key,
                                                                          const StateProof& proof) {
  return verify_state_path(state_root, state_key_hash(storage_key), proof);
}

Result<std::optional<StateValueHash>, StateProofError> verify_state_path(const Hash& state_root,
                                                                         const StateKeyHash& path,
                                                                         const StateProof& proof) {
  std::size_t depth = proof.siblings.size();
  if (proof.leaf && !shares_prefix(path, proof.leaf->key, depth)) {
    return fail(StateProofError::wrong_leaf);
  }
  Hash hash = proof.leaf ? state_leaf_hash(*proof.leaf) : Hash{};
  for (const Hash& sibling : proof.siblings) {
    --depth;
    hash = path_bit(path, depth) ? merkle_inner(sibling, hash) : merkle_inner(hash, sibling);
  }
  if (hash != state_root) return fail(StateProofError::wrong_root);
  if (!proof.leaf || proof.leaf->key != path) return std::optional<StateValueHash>();
  return std::optional<StateValueHash>(proof.leaf->value);
}

Result<void, StateProofError> verify_state_value(const Hash& state_root, ByteView storage_key,
                                                 const std::optional<Bytes>& value,
                                                 const StateProof& proof) {
  const std::optional<StateValueHash> proven =
      TALLY_TRY(verify_state_proof(state_root, storage_key, proof));
  const bool same = value ? proven == state_value_hash(*value) : !proven;
  if (!same) return fail(StateProofError::wrong_value);
  return {};
}

}  // namespace tally
