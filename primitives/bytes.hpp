// Byte strings: owned, viewed, and of a fixed length with a type of their own.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tally {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// N bytes that mean one thing: FixedBytes with different tags do not convert into each other.
// Ordered and compared bytewise; zero-filled by default.
template <class Tag, std::size_t N>
struct FixedBytes {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> bytes{};

  static std::optional<FixedBytes> from(ByteView view) {
    if (view.size() != N) return std::nullopt;
    FixedBytes out;
    std::memcpy(out.bytes.data(), view.data(), N);
    return out;
  }

  ByteView view() const { return {bytes.data(), N}; }
  operator ByteView() const { return view(); }
  bool is_zero() const { return *this == FixedBytes{}; }

  friend bool operator==(const FixedBytes& a, const FixedBytes& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), N) == 0;
  }
  friend std::strong_ordering operator<=>(const FixedBytes& a, const FixedBytes& b) {
    return std::memcmp(a.bytes.data(), b.bytes.data(), N) <=> 0;
  }
};

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) {
  return {view.begin(), view.end()};
}
inline void append(Bytes& to, ByteView more) {
  to.insert(to.end(), more.begin(), more.end());
}
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

std::string to_hex(ByteView bytes);           // lower case, no prefix
std::string to_hex_prefixed(ByteView bytes);  // with 0x
// Accepts upper and lower case, with or without 0x; nothing on an odd count or a foreign character.
std::optional<Bytes> from_hex(std::string_view text);

}  // namespace tally

// A type of its own over N bytes: TALLY_STRONG_BYTES(Hash, 32);
#define TALLY_STRONG_BYTES(Name, N)                        \
  struct Name : ::tally::FixedBytes<struct Name##Tag, N> { \
    using Base = ::tally::FixedBytes<struct Name##Tag, N>; \
    constexpr Name() = default;                            \
    constexpr Name(const Base& base) : Base(base) {}       \
    static std::optional<Name> from(::tally::ByteView v) { \
      auto b = Base::from(v);                              \
      if (!b) return std::nullopt;                         \
      return Name(*b);                                     \
    }                                                      \
  }
