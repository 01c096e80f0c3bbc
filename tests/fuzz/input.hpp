// Draws the steps of a structured target from the fuzzer's bytes. What is asked for beyond the end
// is zero.
#pragma once

#include <algorithm>

#include "primitives/bytes.hpp"

namespace tally::fuzz {

class Input {
 public:
  explicit Input(ByteView bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const std::uint8_t out = left_[0];
    left_ = left_.subspan(1);
    return out;
  }
  std::uint16_t two() {
    const unsigned low = byte();
    return static_cast<std::uint16_t>(low | (static_cast<unsigned>(byte()) << 8));
  }
  // As many bytes as the next two say, or what is left.
  ByteView piece() {
    const std::size_t said = two();  // first: it takes from what is left
    const std::size_t size = std::min(said, left_.size());
    const ByteView out = left_.first(size);
    left_ = left_.subspan(size);
    return out;
  }
  ByteView rest() const { return left_; }

 private:
  ByteView left_;
};

}  // namespace tally::fuzz
