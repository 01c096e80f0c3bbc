// Up to eight BLAKE2b hashes at once, each in a lane of its own of vector registers. For
// messages of at most one block (128 bytes): every node of a tree is one.
//
// Integers only, so every processor gives the same bytes; which instructions are used is decided at
// run time, and primitives/crypto/hash.hpp falls back to one hash after another. Callers use that
// header, not this one.
// Source: RFC 7693.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tally::lanes {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlockWords = 16;  // of 8 bytes, little endian
constexpr std::size_t kDigestWords = 4;

// Lane by lane beside each other: word i of the message in lane l is message[i][l].
struct Group {
  alignas(64) std::uint64_t message[kBlockWords][kLanes];
  alignas(64) std::uint64_t bytes[kLanes];  // length of each message; the rest of its block is zero
  alignas(64) std::uint64_t digest[kDigestWords][kLanes];
  std::uint64_t digest_bytes = 32;  // wanted, at most 32; it goes into the hash
};

// Words that a message of the tree has: a tag and two hashes, 65 bytes.
constexpr std::size_t kPairWords = 9;

// Whether this processor can; false on other architectures.
bool available();
// Fills the digests of all lanes; available() only. hash_pairs reads the first kPairWords words and
// takes the others for zero.
void hash(Group& group);
void hash_pairs(Group& group);

namespace detail {
void hash_avx2(Group& group, bool pairs);
void hash_avx512(Group& group, bool pairs);
}  // namespace detail

}  // namespace tally::lanes
