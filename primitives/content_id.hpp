// Names of stored bytes, as each kind of store writes them, and which texts are names at all.
//
// | store     | text                                                                              |
// | arweave   | id of a transaction or data item: 43 characters, base64url of 32 bytes |
// | ipfs      | CIDv0 (46 characters, "Qm…") or CIDv1 in base32 ("b…", lower case) |
// | filecoin  | as ipfs: the payload's CID |
// | directory | CIDv1 of the bytes themselves: base32, codec raw, sha2-256 |
//
// Forms are canonical: two different texts never name the same bytes in one store.
// Source: multiformats CID specification, RFC 4648 (base32, no padding).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "primitives/bytes.hpp"
#include "primitives/codec/describe.hpp"

namespace tally {

enum class StoreKind : std::uint8_t { arweave = 0, ipfs = 1, filecoin = 2, directory = 3 };
TALLY_DESCRIBE_ENUM(StoreKind, arweave, ipfs, filecoin, directory);

constexpr std::size_t kMaxContentIdLength = 128;

constexpr std::uint64_t kCodecRaw = 0x55;
constexpr std::uint64_t kCodecDagPb = 0x70;

// A content identifier whose hash is sha2-256, the only one that is accepted.
struct Cid {
  unsigned version = 1;  // 0 or 1; 0 is always dag-pb
  std::uint64_t codec = kCodecRaw;
  std::array<std::uint8_t, 32> sha256{};
  friend bool operator==(const Cid&, const Cid&) = default;

  // Nothing for other versions, bases, hashes, and for texts that are not the canonical one.
  static std::optional<Cid> parse(std::string_view text);
  std::string to_text() const;
};

// The CID of bytes as they are: version 1, codec raw.
Cid raw_cid(ByteView bytes);

bool content_id_is_valid(StoreKind store, std::string_view text);

}  // namespace tally
