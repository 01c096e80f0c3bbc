// Proof that a storage key has a value, or has none, under a block's state root. A client checks an
// answer with it without trusting the node that gave it.
//
// The tree is binary over the bits of blake2_256(storage key), the most significant bit of the
// first byte first:
//   empty subtree      32 zero bytes
//   one-leaf subtree   its leaf, H(0x00 ‖ key hash ‖ value hash), whatever its depth
//   any other          H(0x01 ‖ left ‖ right)
// with value hash = blake2_256(value) and H = BLAKE2b-256. A proof is the leaf that the key's path
// ends in, if it ends in one, and the siblings from there up to the root. It proves
//   presence   when the leaf is the key's own;
//   absence    when the path ends in nothing, or in the leaf of another key with the same prefix.
//
// For one root and one key there is exactly one proof; more siblings than a path has bits do not
// decode. Source: Jellyfish Merkle Tree (Diem); the hashes are those of docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>

#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally {

TALLY_STRONG_BYTES(StateKeyHash, 32);    // blake2_256 of a storage key: the path in the tree
TALLY_STRONG_BYTES(StateValueHash, 32);  // blake2_256 of the stored bytes

StateKeyHash state_key_hash(ByteView storage_key);
StateValueHash state_value_hash(ByteView value);

struct StateLeaf {
  StateKeyHash key;
  StateValueHash value;
  friend bool operator==(const StateLeaf&, const StateLeaf&) = default;
};
TALLY_DESCRIBE(StateLeaf, key, value);

Hash state_leaf_hash(const StateLeaf& leaf);

// Bit 0 is the most significant bit of the first byte.
inline bool path_bit(const StateKeyHash& path, std::size_t bit) {
  return ((path.bytes[bit / 8] >> (7 - bit % 8)) & 1) != 0;
}

struct StateProof {
  static constexpr std::size_t kMaxDepth = 256;
  std::optional<StateLeaf> leaf;
  BoundedVec<Hash, kMaxDepth> siblings;  // from the end of the path up to the root
  friend bool operator==(const StateProof&, const StateProof&) = default;
};
TALLY_DESCRIBE(StateProof, leaf, siblings);

enum class StateProofError : std::uint8_t {
  wrong_leaf,   // the leaf shown is not on the key's path
  wrong_root,   // the hashes do not lead to this root
  wrong_value,  // the proof holds, for another value than the one that came with it
};
TALLY_DESCRIBE_ENUM(StateProofError, wrong_leaf, wrong_root, wrong_value);

// What the proof proves about the key: the hash of its value, or nothing when it has none.
Result<std::optional<StateValueHash>, StateProofError> verify_state_proof(const Hash& state_root,
                                                                          ByteView storage_key,
                                                                          const StateProof& proof);
// The same for a path in the tree.
Result<std::optional<StateValueHash>, StateProofError> verify_state_path(const Hash& state_root,
                                                                         const StateKeyHash& path,
                                                                         const StateProof& proof);
// That the key has this value, or none.
Result<void, StateProofError> verify_state_value(const Hash& state_root, ByteView storage_key,
                                                 const std::optional<Bytes>& value,
                                                 const StateProof& proof);

}  // namespace tally
