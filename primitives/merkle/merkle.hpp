// Merkle trees over lists of hashes: the extrinsics of a block and the receipts of a channel.
//
// One shape serves both. A list of n > 1 leaves is split at the largest power of two below n; a
// leaf is H(0x00 ‖ item), an inner node H(0x01 ‖ left ‖ right), the empty list is 32 zero bytes,
// and H is BLAKE2b-256. That is also a Merkle mountain range whose peaks are folded from right to
// left, so a list that only grows keeps its root in Mmr: at most 64 hashes, one amortised hash per
// append.
//
//   Mmr receipts;
//   receipts.append(blake2_256(receipt));
//   Hash root = receipts.root();                       // == merkle_root(all receipt hashes)
//   InclusionProof proof = *prove_inclusion(all, 7);
//   bool there = verify_inclusion(root, all[7], proof);
//
// Source: RFC 6962 section 2.1, with BLAKE2b in place of SHA-256 and zeros for the empty list.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally {

// The two node hashes that every tree of the protocol is made of.
Hash merkle_leaf(const Hash& item);                      // H(0x00 ‖ item)
Hash merkle_inner(const Hash& left, const Hash& right);  // H(0x01 ‖ left ‖ right)

// Root of the list; 32 zero bytes when it is empty.
Hash merkle_root(std::span<const Hash> items);

// That one item stands at one place in a list of a given length. The path runs from the leaf up.
struct InclusionProof {
  static constexpr std::size_t kMaxPath = 64;
  std::uint64_t index{};
  std::uint64_t count{};
  BoundedVec<Hash, kMaxPath> path;
  friend bool operator==(const InclusionProof&, const InclusionProof&) = default;
};
TALLY_DESCRIBE(InclusionProof, index, count, path);

// Nothing when index is not below the number of items.
std::optional<InclusionProof> prove_inclusion(std::span<const Hash> items, std::uint64_t index);
// True exactly for the proof that prove_inclusion gives; a path of another length is refused.
bool verify_inclusion(const Hash& root, const Hash& item, const InclusionProof& proof);

// A list that only grows, known by its length and the roots of its perfect subtrees, the largest
// first. There is one peak for each bit that is set in `count`.
struct Mmr {
  static constexpr std::size_t kMaxPeaks = 64;
  std::uint64_t count{};
  BoundedVec<Hash, kMaxPeaks> peaks;

  // Decoded from a peer or a file: the number of peaks must fit the count.
  bool is_well_formed() const;
  void append(const Hash& item);
  Hash root() const;
  friend bool operator==(const Mmr&, const Mmr&) = default;
};
TALLY_DESCRIBE(Mmr, count, peaks);

}  // namespace tally
