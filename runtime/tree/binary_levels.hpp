// Private to the tree: the binary subtrees inside a node, and the tags of their hashes.
//
// They are numbered as in a heap: 1 is the node, i has the children 2i and 2i + 1, and 16 + nibble
// is the child of that nibble.
#pragma once

#include <bit>
#include <cstdint>

#include "runtime/tree/node.hpp"

namespace tally::tree {

// primitives/merkle/state_proof.hpp says what they tell apart.
constexpr std::uint8_t kLeafTag = 0x00;
constexpr std::uint8_t kInnerTag = 0x01;

// The nibbles below subtree `index`, of 1 .. 15.
inline std::uint16_t nibbles_below(unsigned index) {
  const unsigned level = std::bit_width(index) - 1;  // 0..3
  const unsigned width = Node::kWidth >> level;
  const unsigned first = (index - (1U << level)) * width;
  return static_cast<std::uint16_t>(((1U << width) - 1) << first);
}

}  // namespace tally::tree
