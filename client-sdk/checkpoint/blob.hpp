// A checkpoint's blob: what goes to a store. A header of 50 bytes, then the state.
//
//   magic        8 bytes, "TALLYCKP"
//   version      u8, 1
//   coding       u8: 0 the state as it is, 1 one zstd frame of it
//   plain_bytes  u64, little endian: length of the state
//   state_hash   32 bytes: sha256 of the state
//   payload      the rest
//
// The state is kept as it is where zstd does not make it shorter, so a blob is never longer than
// its state and the header. What is read is bounded before it is decompressed, and hashed after.
#pragma once

#include <cstdint>
#include <string_view>

#include "modules/storage_registry/types.hpp"
#include "primitives/bytes.hpp"
#include "primitives/result.hpp"

namespace tally::checkpoint {

using storage_registry::StateHash;

// The longest state that is pushed or pulled.
constexpr std::uint64_t kMaxStateBytes = std::uint64_t{64} << 20;

enum class Coding : std::uint8_t { plain = 0, zstd = 1 };
TALLY_DESCRIBE_ENUM(Coding, plain, zstd);

struct BlobHeader {
  static constexpr std::string_view kMagic = "TALLYCKP";
  static constexpr std::uint8_t kVersion = 1;

  std::array<std::uint8_t, 8> magic{};
  std::uint8_t version{};
  Coding coding{};
  std::uint64_t plain_bytes{};
  StateHash state_hash;
  friend bool operator==(const BlobHeader&, const BlobHeader&) = default;
};
TALLY_DESCRIBE(BlobHeader, magic, version, coding, plain_bytes, state_hash);
constexpr std::uint64_t kBlobHeaderBytes = 50;

StateHash state_hash(ByteView state);
// How long the blob of a state of this length is at most.
constexpr std::uint64_t blob_bytes_max(std::uint64_t state_bytes) {
  return kBlobHeaderBytes + state_bytes;
}

// At most kMaxStateBytes.
Result<Bytes, Error> pack(ByteView state);

struct Expected {
  StateHash state_hash;
  std::uint64_t state_bytes{};
};
// The state, if the blob is one of exactly the state that is expected.
Result<Bytes, Error> unpack(ByteView blob, const Expected& expected);

}  // namespace tally::checkpoint
