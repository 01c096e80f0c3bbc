// The hashes of Arweave, and its deep hash: a hash of nested lists that nobody can rearrange.
//
//   deep(blob) = H384( H384("blob" + decimal length) ‖ H384(blob) )
//   deep(list) = acc_n;  acc_0 = H384("list" + decimal count);
//                        acc_i = H384( acc_(i-1) ‖ deep(item_i) )
//
// Source: arweave-js, lib/deepHash; vectors in tests/vectors/arweave/deephash.json.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "primitives/bytes.hpp"

namespace tally::arweave {

using Hash384 = std::array<std::uint8_t, 48>;
using Hash256 = std::array<std::uint8_t, 32>;

Hash384 sha384(ByteView data);

// A blob, which is looked at and not copied, or a list.
class DeepValue {
 public:
  DeepValue(ByteView blob) : value_(blob) {}
  DeepValue(std::vector<DeepValue> list) : value_(std::move(list)) {}
  Hash384 hash() const;

 private:
  std::variant<ByteView, std::vector<DeepValue>> value_;
};

}  // namespace tally::arweave
