// Keccak-256 as Ethereum has it: the original padding 0x01, which is not SHA3-256's.
// Source: the Keccak reference, version 3.0 (keccak-f[1600], rate 1088, capacity 512).
#pragma once

#include <array>
#include <cstdint>

#include "primitives/bytes.hpp"

namespace tally {

std::array<std::uint8_t, 32> keccak_256(ByteView data);

}  // namespace tally
