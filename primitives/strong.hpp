// Integers that mean one thing. Two strong integers of different types neither convert nor compare;
// arithmetic is spelled out where it is wanted, so that an overflow is a decision.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>

namespace tally {

template <class Tag, class Int>
struct StrongInt {
  using Underlying = Int;
  Int value{};

  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Int v) : value(v) {}
  friend constexpr auto operator<=>(const StrongInt&, const StrongInt&) = default;
};

}  // namespace tally

// TALLY_STRONG_INT(View, std::uint64_t);
#define TALLY_STRONG_INT(Name, Int)                                           \
  struct Name : ::tally::StrongInt<struct Name##Tag, Int> {                   \
    using Base = ::tally::StrongInt<struct Name##Tag, Int>;                   \
    constexpr Name() = default;                                               \
    constexpr explicit Name(Int v) : Base(v) {}                               \
    friend constexpr auto operator<=>(const Name&, const Name&) = default;    \
    /* The next one; the caller knows that the type cannot run out. */        \
    constexpr Name next() const { return Name(static_cast<Int>(value + 1)); } \
  }
