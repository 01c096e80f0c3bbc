// What validators say to each other. Only votes, certificates and the leader's Notarize inside a
// proposal are signed; everything else is a request, an answer to one, or a hint.
//
// Each message travels in an envelope that says, unsigned, where its sender stands: from it peers
// tell which certificates the sender lacks.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "node/consensus/parameters.hpp"
#include "primitives/finality/certificate.hpp"
#include "primitives/finality/proof.hpp"
#include "primitives/header.hpp"

namespace tally::consensus {

struct Hint {
  Epoch epoch;
  View view;
  View floor;
  friend bool operator==(const Hint&, const Hint&) = default;
};
TALLY_DESCRIBE(Hint, epoch, view, floor);

struct Proposal {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Proposal";
  Block block;
  Vote notarize;                       // the leader's; the only signature here
  std::optional<Notarization> parent;  // none: the parent is the epoch's root
  BoundedVec<Nullification, kMaxJustification>
      nullifications;  // the newest between parent and view
};
TALLY_DESCRIBE(Proposal, block, notarize, parent, nullifications);

struct VoteMessage {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Vote";
  Vote vote;
};
TALLY_DESCRIBE(VoteMessage, vote);

struct CertificateMessage {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Certificate";
  Certificate certificate;
};
TALLY_DESCRIBE(CertificateMessage, certificate);

// Answered with CertificateMessages: the kind asked for; else what there is of the view, or a
// Finalization above it.
struct CertificateRequest {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "CertificateRequest";
  Epoch epoch;
  View view;
  VoteKind kind{};
};
TALLY_DESCRIBE(CertificateRequest, epoch, view, kind);

// Answered with a BlockReply: the block and up to count − 1 of its ancestors, child first.
struct BlockRequest {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "BlockRequest";
  Hash hash;
  std::uint8_t count{};  // 1..64
};
TALLY_DESCRIBE(BlockRequest, hash, count);

struct BlockReply {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "BlockReply";
  BoundedVec<Block, kMaxAncestors> blocks;
};
TALLY_DESCRIBE(BlockReply, blocks);

struct EpochProofMessage {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "EpochProof";
  Epoch epoch;
  EpochProof proof;
};
TALLY_DESCRIBE(EpochProofMessage, epoch, proof);

using Message = std::variant<Proposal, VoteMessage, CertificateMessage, CertificateRequest,
                             BlockRequest, BlockReply, EpochProofMessage>;

struct Envelope {
  Hint hint;
  Message message;
};
TALLY_DESCRIBE(Envelope, hint, message);

}  // namespace tally::consensus
