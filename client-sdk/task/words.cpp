#include "client-sdk/task/words.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

constexpr std::size_t kMaxWord = 60;

using Sums = std::array<std::int32_t, kWordDimensions>;

// Adds weight · pattern(piece). A neighbouring pair and one with a letter left out have one
// pattern, so that a lost letter leaves a trace.
void add_piece(Sums& sums, std::string_view piece, std::uint64_t kind, std::int32_t weight) {
  for (std::size_t block = 0; block < kWordDimensions / 64; ++block) {
    const std::uint64_t signs = xxhash64(as_bytes(piece), kind * 256 + block);
    for (std::size_t bit = 0; bit < 64; ++bit) {
      sums[block * 64 + bit] += (signs >> bit & 1) != 0 ? weight : -weight;
    }
  }
}

}  // namespace

Bytes word_vector(std::string_view word) {
  std::string text = "^";
  for (const char c : word.substr(0, kMaxWord)) {
    text.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  text.push_back('$');
  Sums sums{};
  const std::string_view view = text;
  for (std::size_t i = 0; i < view.size(); ++i) {
    if (i > 0 && i + 1 < view.size()) add_piece(sums, view.substr(i, 1), 1, 2);
    if (i + 2 <= view.size()) add_piece(sums, view.substr(i, 2), 2, 2);
    if (i + 3 <= view.size()) add_piece(sums, std::string{view[i], view[i + 2]}, 2, 1);
  }
  Bytes out;
  out.reserve(kWordDimensions);
  for (const std::int32_t sum : sums) {
    out.push_back(static_cast<std::uint8_t>(static_cast<std::int8_t>(std::clamp(sum, -127, 127))));
  }
  return out;
}

}  // namespace tally::task
