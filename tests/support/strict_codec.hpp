// The three properties that every codec has, tried on a drawn value and its neighbours:
//
//   1. what was encoded decodes to the same value;
//   2. bytes that decode, changed in any way, encode to those very bytes again;
//   3. no proper prefix of an encoding decodes.
#pragma once

#include <rapidcheck.h>

#include "tests/support/draw.hpp"

namespace tally::tests {

// One random edit: a bit, a byte, a byte more, a byte less.
inline Bytes edited(Bytes bytes, Source& from) {
  if (bytes.empty()) return {static_cast<std::uint8_t>(from.next())};
  const auto at = static_cast<std::ptrdiff_t>(from.below(bytes.size()));
  switch (from.below(4)) {
    case 0:
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ 1u << from.below(8));
      break;
    case 1:
      bytes[at] = static_cast<std::uint8_t>(from.next());
      break;
    case 2:
      bytes.insert(bytes.begin() + at, static_cast<std::uint8_t>(from.below(4)));
      break;
    default:
      bytes.erase(bytes.begin() + at);
  }
  return bytes;
}

// Without `Values` the type has no ==, and its bytes alone are compared.
template <class T, bool Values>
void check_codec(Source& from) {
  const T value = draw<T>(from);
  const Bytes bytes = encode(value);
  const auto decoded = decode<T>(bytes);
  RC_ASSERT(decoded.ok());
  RC_ASSERT(encode(*decoded) == bytes);
  if constexpr (Values) RC_ASSERT(*decoded == value);
  RC_ASSERT(bytes.size() >= Codec<T>::kMinSize);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    RC_ASSERT(!decode<T>(ByteView(bytes).first(size)).ok());
  }
  Bytes changed = bytes;
  for (int edits = 0; edits < 4; ++edits) {
    changed = edited(std::move(changed), from);
    const auto other = decode<T>(changed);
    if (other.ok()) RC_ASSERT(encode(*other) == changed);
  }
}

template <class T, bool Values = true>
bool codec_is_strict() {
  return rc::check([](std::uint64_t seed) {
    Source from(seed);
    for (int values = 0; values < 10; ++values) check_codec<T, Values>(from);
  });
}

}  // namespace tally::tests
