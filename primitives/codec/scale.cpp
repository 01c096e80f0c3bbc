#include "primitives/codec/scale.hpp"

namespace tally {

std::string to_text(const DecodeError& error) {
  return std::string(enumerator_name(error.code)) + " at byte " + to_decimal(error.offset);
}

void Encoder::compact(u128 value) {
  if (value < (1u << 6)) {
    byte(static_cast<std::uint8_t>(value << 2));
  } else if (value < (1u << 14)) {
    encode_to(*this, static_cast<std::uint16_t>(value << 2 | 1));
  } else if (value < (1u << 30)) {
    encode_to(*this, static_cast<std::uint32_t>(value << 2 | 2));
  } else {
    std::uint8_t little[16];
    std::size_t n = 0;
    for (u128 rest = value; rest != 0; rest >>= 8) little[n++] = static_cast<std::uint8_t>(rest);
    n = std::max<std::size_t>(n, 4);
    byte(static_cast<std::uint8_t>((n - 4) << 2 | 3));
    raw({little, n});
  }
}

bool Decoder::compact(u128& out, u128 max) {
  std::uint8_t first = 0;
  if (!byte(first)) return false;
  const unsigned mode = first & 3;
  const std::size_t extra = mode == 0 ? 0 : mode == 1 ? 1 : mode == 2 ? 3 : (first >> 2) + 4u;
  ByteView rest;
  if (extra > 16) return fail(DecodeErrorCode::out_of_range);
  if (!take(extra, rest)) return false;
  u128 value = 0;
  for (std::size_t i = rest.size(); i-- > 0;) value = value << 8 | rest[i];
  u128 least = 0;
  if (mode == 3) {
    least = extra == 4 ? u128{1} << 30 : u128{1} << (8 * (extra - 1));
  } else {
    value = (value << 6) | (first >> 2);
    least = mode == 0 ? 0 : mode == 1 ? 1u << 6 : 1u << 14;
  }
  if (value < least) return fail(DecodeErrorCode::not_minimal);
  if (value > max) return fail(DecodeErrorCode::out_of_range);
  out = value;
  return true;
}

bool Decoder::length(std::size_t& out, std::size_t max_items, std::size_t item_min) {
  u128 n = 0;
  if (!compact(n, 0xffffffffu)) return false;
  if (n > max_items) return fail(DecodeErrorCode::too_long);
  if (n * item_min > remaining()) return fail(DecodeErrorCode::unexpected_end);
  out = static_cast<std::size_t>(n);
  return true;
}

namespace detail {

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool valid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  while (p < end) {
    const unsigned char lead = *p++;
    if (lead < 0x80) continue;
    const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || end - p < more) return false;
    const unsigned char second = *p;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
      return false;
    }
    for (int i = 0; i < more; ++i, ++p) {
      if ((*p & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace detail
}  // namespace tally
