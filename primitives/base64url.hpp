// base64url without padding (RFC 4648, section 5): how Arweave writes every byte string.
//
// Decoding is strict, so that a byte string has one text: no padding, no white space, no characters
// of plain base64, and the unused bits of the last character are zero.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "primitives/bytes.hpp"

namespace tally {

std::string to_base64url(ByteView bytes);
std::optional<Bytes> from_base64url(std::string_view text);

}  // namespace tally
