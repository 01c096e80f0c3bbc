// Block sync: ranges of final blocks in height order, from one peer after another, for a node that
// was away or is new.
//
// Nothing that a peer says is believed. Its blocks must stand on the head, or on those that it sent
// before, with the bodies that their headers name; at the latest kUnprovedBlocks later they must be
// proved final, by a Finalization or the proof of the epoch's end. A peer that claims a head and
// does not serve, serves another chain, withholds the proof or makes this node wait for it, or has
// pruned what is wanted gives way to another; of those that serve, the fastest is asked.
//
// Answers are asked for ahead: while consensus executes one, up to kRangesAhead wait that were
// judged good, so that their signatures can be checked meanwhile. Ranges stand on those before
// them, within one epoch. What was proved final may be continued by any peer, the rest by its own.
//
// A state machine: no I/O, no clock. The driver sends what next() says, hands every answer to
// judge(), gives what is good to consensus in the same order and says with settle() what came of
// it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "node/consensus/parameters.hpp"
#include "node/core/sync_peers.hpp"
#include "node/core/wire.hpp"
#include "primitives/finality/certificate.hpp"

namespace tally::core {

// Consensus keeps so many blocks above the head, at most.
constexpr std::size_t kUnprovedBlocks = 2 * consensus::kMaxTreeBlocks - kMaxRangeBlocks;
// Answers that were judged good and not settled, at most: one is executed, one is checked, and one
// is there for the checks to go on with when the core thread is busy for long.
constexpr std::size_t kRangesAhead = 3;

class BlockSync {
 public:
  // Where this node stands: blocks are checked against it.
  struct Position {
    ports::ChainHead head;
    FinalityContext context;  // of the epoch that the next block is in
    BlockNumber epoch_end;
  };
  struct Ask {
    ports::PeerId peer;
    BlockNumber from;
  };
  enum class Verdict : std::uint8_t {
    ignored,  // not what was asked for, or of no use any more
    lie,      // the peer is not to be dealt with
    good,     // for consensus
  };
  struct Judged {
    Verdict verdict{};
    std::string reason;  // of a lie
  };

  void peer_head(const ports::PeerId& peer, BlockNumber head);
  void peer_down(const ports::PeerId& peer);

  // What to ask now, if anything.
  std::optional<Ask> next(const ports::ChainHead& head, ports::Instant now);
  std::optional<ports::Instant> next_timer() const;

  Judged judge(const ports::PeerId& from, const RangeReply& reply, const Position& position,
               const VoteVerifier& verifier, ports::Instant now);
  // After a good answer went to consensus, in the order in which they were judged. False: nothing
  // came of it, and the good answers that still wait are of no use either.
  [[nodiscard]] bool settle(const ports::PeerId& from, const RangeReply& reply, BlockNumber head,
                            ports::Instant now);
  void pruned(const ports::PeerId& from, BlockNumber oldest);

  // Every peer that is ahead, and there is one, has pruned the next block.
  bool is_pruned_everywhere(BlockNumber head) const;
  // The highest head that a peer claims which has not failed to show it.
  BlockNumber best_claimed() const;
  // The highest head that any claims, where nobody who has not failed is as far as this node: it
  // may be true. Else 0.
  BlockNumber best_doubtful(BlockNumber head) const;
  bool is_asking() const { return asked_.has_value(); }
  // While nothing may be asked: another way of sync is at work.
  void pause();

 private:
  struct Peer {
    SyncPeer standing;
    BlockNumber pruned_below;
    std::uint64_t blocks_a_second = 0;  // 0: not yet known
    std::uint64_t arrival{};            // 0 came first
  };
  struct Asked {
    ports::PeerId peer;
    BlockNumber from;
    ports::Instant at;
    ports::Instant patient_from;  // what this node took to execute is not the peer's delay
  };
  struct Taken {  // the last of the blocks above the head that were judged good
    ports::PeerId peer;
    ports::ChainHead last;
    bool proved;      // final: whoever serves what follows
    bool ends_epoch;  // what follows is judged by another set
  };

  bool anyone_ahead(BlockNumber head) const;  // asked at every turn, however many peers there are
  std::optional<ports::PeerId> choose(BlockNumber from, BlockNumber head, ports::Instant now) const;
  void forget_unproved();
  void miss(Peer& peer, ports::Instant now);
  Judged lie(const ports::PeerId& from, std::string reason, ports::Instant now);
  std::string flaw_of(const RangeReply& reply, const Position& position,
                      const VoteVerifier& verifier) const;

  std::map<ports::PeerId, Peer> peers_;
  BlockNumber highest_;  // that any of them has claimed
  std::optional<Asked> asked_;
  std::optional<Taken> taken_;
  std::size_t waiting_ = 0;      // good answers that are not settled
  DurationMs unproved_for_;      // that was waited for blocks since the last proof
  ports::Instant doubts_until_;  // since somebody failed
  std::uint64_t arrivals_ = 0;
  std::optional<ports::Instant> wake_;
};

}  // namespace tally::core
