// The block header: Substrate's five fields; what BFT needs is in the digest under the engine id
// "SMPX". The block hash is blake2_256 of the SCALE header, which clients compute themselves.
#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "primitives/codec/scale.hpp"
#include "primitives/crypto/vrf.hpp"
#include "primitives/ids.hpp"

namespace tally {

using EngineId = std::array<std::uint8_t, 4>;
constexpr EngineId kSimplexEngine{'S', 'M', 'P', 'X'};

struct DigestOther {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Other";
  Bytes data;
  friend bool operator==(const DigestOther&, const DigestOther&) = default;
};
TALLY_DESCRIBE(DigestOther, data);
struct DigestConsensus {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "Consensus";
  EngineId engine{};
  Bytes data;
  friend bool operator==(const DigestConsensus&, const DigestConsensus&) = default;
};
TALLY_DESCRIBE(DigestConsensus, engine, data);
struct DigestSeal {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "Seal";
  EngineId engine{};
  Bytes data;
  friend bool operator==(const DigestSeal&, const DigestSeal&) = default;
};
TALLY_DESCRIBE(DigestSeal, engine, data);
struct DigestPreRuntime {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "PreRuntime";
  EngineId engine{};
  Bytes data;
  friend bool operator==(const DigestPreRuntime&, const DigestPreRuntime&) = default;
};
TALLY_DESCRIBE(DigestPreRuntime, engine, data);
struct DigestRuntimeUpdated {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "RuntimeEnvironmentUpdated";
  friend bool operator==(const DigestRuntimeUpdated&, const DigestRuntimeUpdated&) = default;
};
TALLY_DESCRIBE(DigestRuntimeUpdated);

using DigestItem =
    std::variant<DigestOther, DigestConsensus, DigestSeal, DigestPreRuntime, DigestRuntimeUpdated>;
using Digest = std::vector<DigestItem>;

// A node makes two items. The bound keeps a hostile header, whose items can be one byte each, from
// growing to many times its size when it is decoded.
constexpr std::size_t kDigestItemsMax = 64;
template <>
struct Codec<Digest> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const Digest& digest) { detail::encode_items(out, digest); }
  static bool decode(Decoder& in, Digest& digest) {
    return detail::decode_items(in, digest, kDigestItemsMax);
  }
};

struct Header {
  Hash parent_hash;
  Compact<BlockNumber> number;
  Hash state_root;
  Hash extrinsics_root;
  Digest digest;
  friend bool operator==(const Header&, const Header&) = default;
};
TALLY_DESCRIBE(Header, parent_hash, number, state_root, extrinsics_root, digest);

// What the leader of a view adds to its block, in a PreRuntime digest item.
struct ConsensusDigest {
  Epoch epoch;
  View view;
  TimestampMs time;
  VrfProof vrf_proof;
  friend bool operator==(const ConsensusDigest&, const ConsensusDigest&) = default;
};
TALLY_DESCRIBE(ConsensusDigest, epoch, view, time, vrf_proof);

Hash block_hash(const Header& header);
// The one SMPX PreRuntime item; nothing if it is missing, repeated or malformed. Genesis has none.
std::optional<ConsensusDigest> consensus_digest(const Header& header);
DigestItem make_consensus_digest(const ConsensusDigest& digest);

// Extrinsics are kept as the bytes that were submitted, length prefix included.
struct Block {
  Header header;
  std::vector<Bytes> extrinsics;
  friend bool operator==(const Block&, const Block&) = default;
};
TALLY_DESCRIBE(Block, header, extrinsics);

}  // namespace tally
