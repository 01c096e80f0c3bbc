// What nodes send each other, as the content of transport frames: one SCALE variant.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "node/consensus/messages.hpp"
#include "node/ports/chain.hpp"
#include "node/ports/network.hpp"
#include "node/ports/snapshots.hpp"

namespace tally::core {

constexpr std::size_t kMaxRangeBlocks = 64;
// Of one frame: each costs a quorum of signature checks.
constexpr std::size_t kMaxEpochProofs = 16;
// Transactions of one frame: what the core thread does at a stretch.
constexpr std::size_t kMaxGossip = 256;

// That a validator's consensus key speaks through this link: signed over
// tallystick/peer-claim/v1 ‖ genesis hash ‖ sender's PeerId ‖ receiver's PeerId.
struct ValidatorClaim {
  Ed25519Key key;
  Ed25519Signature signature;
};
TALLY_DESCRIBE(ValidatorClaim, key, signature);

// Where a node stands. First on every link, and again from time to time.
struct Status {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Status";
  Hash genesis_hash;
  consensus::Hint hint;
  ports::ChainHead head;
  std::optional<ValidatorClaim> claim;
};
TALLY_DESCRIBE(Status, genesis_hash, hint, head, claim);

struct ConsensusFrame {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Consensus";
  consensus::Envelope envelope;
};
TALLY_DESCRIBE(ConsensusFrame, envelope);

struct Transactions {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Transactions";
  BoundedVec<Bytes, kMaxGossip> extrinsics;
};
TALLY_DESCRIBE(Transactions, extrinsics);

// Final blocks from a height on, for a node that was away or is new.
struct RangeRequest {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "RangeRequest";
  BlockNumber from;
};
TALLY_DESCRIBE(RangeRequest, from);

// Blocks of one epoch in height order, and what proves the last of them final: its Finalization, or
// the proof of the epoch's end. Neither: the proof comes with a later range.
struct RangeReply {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "RangeReply";
  BoundedVec<Block, kMaxRangeBlocks> blocks;
  std::optional<Finalization> finalization;
  std::optional<consensus::EpochProofMessage> epoch_proof;

  bool is_proved() const { return finalization || epoch_proof; }
};
TALLY_DESCRIBE(RangeReply, blocks, finalization, epoch_proof);

// Blocks below `oldest` are not kept here: the answer to a RangeRequest for one of them.
struct RangePruned {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "RangePruned";
  BlockNumber oldest;
};
TALLY_DESCRIBE(RangePruned, oldest);

// Proofs of the ends of epochs, from one on.
struct EpochProofsRequest {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "EpochProofsRequest";
  Epoch from;
};
TALLY_DESCRIBE(EpochProofsRequest, from);

// One after another; empty where there is none from the asked epoch on.
struct EpochProofsReply {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "EpochProofsReply";
  BoundedVec<EpochProof, kMaxEpochProofs> proofs;
};
TALLY_DESCRIBE(EpochProofsReply, proofs);

// Parts of the state after a block, the last of an epoch.
struct SubtreesRequest {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "SubtreesRequest";
  std::uint32_t id{};
  BlockNumber at;
  BoundedVec<ports::Subtree, ports::kMaxSubtrees> subtrees;
};
TALLY_DESCRIBE(SubtreesRequest, id, at, subtrees);

// Of the first of the subtrees, in their order, as many as an answer holds; empty where that state
// is not kept.
struct SubtreesReply {
  static constexpr std::uint8_t kIndex = 9;
  static constexpr std::string_view kName = "SubtreesReply";
  std::uint32_t id{};
  BoundedVec<ports::SubtreePart, ports::kMaxSubtrees> parts;
};
TALLY_DESCRIBE(SubtreesReply, id, parts);

using WireMessage =
    std::variant<Status, ConsensusFrame, Transactions, RangeRequest, RangeReply, RangePruned,
                 EpochProofsRequest, EpochProofsReply, SubtreesRequest, SubtreesReply>;

Bytes claim_bytes(const Hash& genesis_hash, const ports::PeerId& from, const ports::PeerId& to);

}  // namespace tally::core
