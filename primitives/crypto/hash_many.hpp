// Many BLAKE2b hashes that do not depend on each other, several at a time where the processor
// has registers for it. The bytes are those of blake2_256() and
// blake2_128() everywhere.
//
//   std::vector<Hash> hashes(messages.size());
//   blake2_256_many(messages, hashes);
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "primitives/bytes.hpp"
#include "primitives/ids.hpp"

namespace tally {

// hashes[i] = blake2_256(messages[i]). As many hashes as messages.
void blake2_256_many(std::span<const ByteView> messages, std::span<Hash> hashes);
void blake2_128_many(std::span<const ByteView> messages,
                     std::span<std::array<std::uint8_t, 16>> hashes);

// *out = blake2_256(tag ‖ first ‖ second), where the parts have 32 bytes each: what merkle trees
// are made of. No pair's `out` is a part of another one.
struct TaggedPair {
  const std::uint8_t* first = nullptr;
  const std::uint8_t* second = nullptr;
  Hash* out = nullptr;
};
void hash_tagged_pairs(std::uint8_t tag, std::span<const TaggedPair> pairs);

}  // namespace tally
