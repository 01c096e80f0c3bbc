// Words as int8 vectors, so that a misspelled word lies near the intended one: an exact nearest-
// neighbour search over these vectors is a spelling corrector.
//
// A word, lower-cased and with marks for its beginning and end, is cut into overlapping pieces of
// one to three characters and pairs with one character left out; each piece adds a fixed
// pseudo-random pattern of ±1 to the vector. One slip of the keyboard changes a few pieces, another
// word changes many. Distances are squared_l2. Deterministic: the patterns come from xxHash64 of
// the piece.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "primitives/bytes.hpp"

namespace tally::task {

constexpr std::uint16_t kWordDimensions = 128;

// kWordDimensions int8 as bytes. Words longer than 60 bytes are cut there.
Bytes word_vector(std::string_view word);

}  // namespace tally::task
