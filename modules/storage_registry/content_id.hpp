// The text forms of content ids that a checkpoint may name. The form is checked, not that anything
// lies there.
//
//   arweave             base64url without padding of 32 bytes: 43 characters (a transaction or a
//                       data item)
//   ipfs, filecoin      a CID: version 0 ("Qm…", base58 of a sha2-256 multihash) or version 1
//                       ("b…", lower-case base32 without padding of version ‖ codec ‖ multihash)
//   directory           a CID of version 1 whose codec is raw (0x55) and whose hash is sha2-256
//
// One content has one text: trailing bits are zero, varints are minimal. Sources: RFC 4648;
// multiformats' CID, multibase and multihash; ANS-104 and Arweave ids are sha256 of a signature.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "modules/storage_registry/types.hpp"
#include "primitives/bytes.hpp"

namespace tally::storage_registry {

bool content_id_is_valid(StoreKind store, std::string_view text);

// A CID taken apart.
struct Cid {
  std::uint64_t version{};
  std::uint64_t codec{};      // 0x55: raw bytes; 0x70: a dag-pb node, as in every version 0
  std::uint64_t hash_code{};  // 0x12: sha2-256
  Bytes digest;
  friend bool operator==(const Cid&, const Cid&) = default;
};
constexpr std::uint64_t kCodecRaw = 0x55;
constexpr std::uint64_t kCodecDagPb = 0x70;
constexpr std::uint64_t kSha2_256 = 0x12;

std::optional<Cid> parse_cid(std::string_view text);
// "bafkrei…": version 1, raw, sha2-256.
std::string raw_cid(const std::array<std::uint8_t, 32>& sha256_of_content);

}  // namespace tally::storage_registry
