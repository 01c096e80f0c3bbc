// The identifiers and quantities that chain and clients share, each a type of its own.
#pragma once

#include <cstdint>

#include "primitives/bytes.hpp"
#include "primitives/strong.hpp"

namespace tally {

TALLY_STRONG_BYTES(Hash, 32);       // BLAKE2b-256
TALLY_STRONG_BYTES(AccountId, 32);  // Ed25519 key, or blake2_256 of a compressed secp256k1 key
TALLY_STRONG_BYTES(ChannelId, 32);

TALLY_STRONG_INT(BlockNumber, std::uint32_t);  // height; genesis is 0
TALLY_STRONG_INT(Nonce, std::uint32_t);        // extrinsics that an account has had included
TALLY_STRONG_INT(Epoch, std::uint64_t);
TALLY_STRONG_INT(View, std::uint64_t);         // consensus view within an epoch; 0 is its root
TALLY_STRONG_INT(TimestampMs, std::uint64_t);  // milliseconds since the Unix epoch, or chain time
TALLY_STRONG_INT(DurationMs, std::uint64_t);
TALLY_STRONG_INT(ChannelVersion, std::uint64_t);
TALLY_STRONG_INT(Weight, std::uint64_t);  // picoseconds of reference execution

}  // namespace tally
