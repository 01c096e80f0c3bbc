#include "primitives/merkle/merkle.hpp"

#include <bit>

#include "primitives/crypto/hash.hpp"

namespace tally {
namespace {

constexpr std::uint8_t kLeafTag = 0x00;
constexpr std::uint8_t kInnerTag = 0x01;

std::size_t split_of(std::size_t count) {
  return std::bit_floor(count - 1);
}

}  // namespace

Hash merkle_leaf(const Hash& item) {
  std::uint8_t buffer[33] = {kLeafTag};
  std::memcpy(buffer + 1, item.bytes.data(), 32);
  return blake2_256(ByteView(buffer, sizeof buffer));
}

Hash merkle_inner(const Hash& left, const Hash& right) {
  std::uint8_t buffer[65] = {kInnerTag};
  std::memcpy(buffer + 1, left.bytes.data(), 32);
  std::memcpy(buffer + 33, right.bytes.data(), 32);
  return blake2_256(ByteView(buffer, sizeof buffer));
}

Hash merkle_root(std::span<const Hash> items) {
  Mmr range;
  for (const Hash& item : items) range.append(item);
  return range.root();
}

std::optional<InclusionProof> prove_inclusion(std::span<const Hash> items, std::uint64_t index) {
  if (index >= items.size()) return std::nullopt;
  InclusionProof proof{.index = index, .count = items.size(), .path = {}};
  std::vector<Hash> from_root;
  std::span<const Hash> rest = items;
  std::size_t at = index;
  while (rest.size() > 1) {
    const std::size_t split = split_of(rest.size());
    const bool right = at >= split;
    from_root.push_back(merkle_root(right ? rest.first(split) : rest.subspan(split)));
    rest = right ? rest.subspan(split) : rest.first(split);
    if (right) at -= split;
  }
  for (auto sibling = from_root.rbegin(); sibling != from_root.rend(); ++sibling) {
    TALLY_ASSERT(proof.path.push_back(*sibling));
  }
  return proof;
}

bool verify_inclusion(const Hash& root, const Hash& item, const InclusionProof& proof) {
  if (proof.index >= proof.count) return false;
  // The turns from the root to the leaf; the number of them is the only length a path may have.
  bool right_turns[InclusionProof::kMaxPath];
  std::size_t depth = 0;
  std::uint64_t count = proof.count;
  std::uint64_t at = proof.index;
  while (count > 1) {
    const std::uint64_t split = std::bit_floor(count - 1);
    const bool right = at >= split;
    right_turns[depth++] = right;
    count = right ? count - split : split;
    if (right) at -= split;
  }
  if (proof.path.size() != depth) return false;
  Hash hash = merkle_leaf(item);
  for (const Hash& sibling : proof.path) {
    hash = right_turns[--depth] ? merkle_inner(sibling, hash) : merkle_inner(hash, sibling);
  }
  return hash == root;
}

bool Mmr::is_well_formed() const {
  return peaks.size() == static_cast<std::size_t>(std::popcount(count));
}

void Mmr::append(const Hash& item) {
  TALLY_ASSERT(is_well_formed() && count != ~std::uint64_t{0});
  Hash hash = merkle_leaf(item);
  // Every trailing one of the count is a perfect subtree that the new leaf completes.
  for (int merges = std::countr_one(count); merges > 0; --merges) {
    hash = merkle_inner(peaks[peaks.size() - 1], hash);
    peaks.erase(peaks.end() - 1);
  }
  TALLY_ASSERT(peaks.push_back(hash));
  ++count;
}

Hash Mmr::root() const {
  TALLY_ASSERT(is_well_formed());
  if (peaks.empty()) return {};
  Hash root = peaks[peaks.size() - 1];
  for (std::size_t i = peaks.size() - 1; i > 0; --i) root = merkle_inner(peaks[i - 1], root);
  return root;
}

}  // namespace tally
