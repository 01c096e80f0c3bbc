#include "node/core/block_sync.hpp"

#include <algorithm>

#include "node/consensus/simplex.hpp"
#include "primitives/assert.hpp"
#include "primitives/finality/proof.hpp"

namespace tally::core {
namespace {

using ports::Instant;
using ports::PeerId;

constexpr std::uint32_t kBehind = 3;        // blocks: less is left to consensus
constexpr std::uint64_t kDoubtMs = 60'000;  // after a failure strangers are asked last
// For a run of blocks without a proof, times the patience for one answer.
constexpr std::uint64_t kUnprovedPatience = 4;

bool is_ahead(const SyncPeer& peer, BlockNumber head) {
  return peer.head.value > std::uint64_t{head.value} + kBehind;
}

}  // namespace

void BlockSync::peer_head(const PeerId& peer, BlockNumber head) {
  const auto [known, is_new] = peers_.try_emplace(peer);
  if (is_new) known->second.arrival = arrivals_++;
  known->second.standing.head = head;
  highest_ = std::max(highest_, head);
}

void BlockSync::peer_down(const PeerId& peer) {
  peers_.erase(peer);
  highest_ = BlockNumber(0);
  for (const auto& [id, other] : peers_) highest_ = std::max(highest_, other.standing.head);
  if (asked_ && asked_->peer == peer) asked_.reset();
  if (taken_ && taken_->peer == peer) forget_unproved();
}

void BlockSync::forget_unproved() {
  if (taken_ && !taken_->proved) taken_.reset();
  unproved_for_ = DurationMs(0);
}

void BlockSync::miss(Peer& peer, Instant now) {
  peer.standing.miss(now);
  doubts_until_ = now + DurationMs(kDoubtMs);
}

void BlockSync::pause() {
  asked_.reset();
  taken_.reset();
  waiting_ = 0;
  wake_.reset();
}

BlockNumber BlockSync::best_claimed() const {
  BlockNumber best;
  for (const auto& [id, peer] : peers_) {
    if (peer.standing.is_trusted()) best = std::max(best, peer.standing.head);
  }
  return best;
}

BlockNumber BlockSync::best_doubtful(BlockNumber head) const {
  const bool answered = std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const SyncPeer& peer = entry.second.standing;
    return peer.is_trusted() && std::uint64_t{peer.head.value} + kBehind >= head.value;
  });
  return answered ? BlockNumber(0) : highest_;
}

bool BlockSync::anyone_ahead(BlockNumber head) const {
  return highest_.value > std::uint64_t{head.value} + kBehind;
}

bool BlockSync::is_pruned_everywhere(BlockNumber head) const {
  bool any = false;
  if (!anyone_ahead(head)) return false;
  for (const auto& [id, peer] : peers_) {
    if (!is_ahead(peer.standing, head) || !peer.standing.is_trusted()) continue;
    if (peer.pruned_below <= head.next()) return false;
    any = true;
  }
  return any;
}

// Those whose speed is not known come first, so that it gets known, but for a while after a failure
// last: a new key costs a liar nothing. Of equals the one that came first.
std::optional<PeerId> BlockSync::choose(BlockNumber from, BlockNumber head, Instant now) const {
  const std::uint64_t of_unknown = now < doubts_until_ ? 0 : ~std::uint64_t{0};
  std::optional<PeerId> best;
  std::uint64_t best_speed = 0;
  std::uint64_t best_arrival = 0;
  for (const auto& [id, peer] : peers_) {
    if (!is_ahead(peer.standing, head) || peer.pruned_below > from) continue;
    if (peer.standing.rests(now)) continue;
    const std::uint64_t speed = peer.blocks_a_second == 0 ? of_unknown : peer.blocks_a_second;
    const bool better = speed > best_speed || (speed == best_speed && peer.arrival < best_arrival);
    if (best && !better) continue;
    best = id;
    best_speed = speed;
    best_arrival = peer.arrival;
  }
  return best;
}

std::optional<BlockSync::Ask> BlockSync::next(const ports::ChainHead& head, Instant now) {
  wake_.reset();
  if (asked_) {
    Peer& peer = peers_.at(asked_->peer);
    if (ports::elapsed(asked_->patient_from, now) < peer.standing.patience()) {
      wake_ = asked_->patient_from + peer.standing.patience();
      return std::nullopt;
    }
    miss(peer, now);
    asked_.reset();
    forget_unproved();
  }
  if (taken_ && taken_->last.number <= head.number) taken_.reset();
  // What waits is settled first, which ends a turn as well.
  if (waiting_ >= kRangesAhead || (taken_ && taken_->ends_epoch)) return std::nullopt;
  const BlockNumber tip = taken_ ? taken_->last.number : head.number;
  const BlockNumber from = tip.next();
  const bool same_peer = taken_ && !taken_->proved;
  if (!same_peer && !anyone_ahead(tip)) return std::nullopt;
  const auto peer = same_peer ? std::optional(taken_->peer) : choose(from, tip, now);
  if (!peer) {
    for (const auto& [id, other] : peers_) {
      if (!is_ahead(other.standing, tip) || !other.standing.rests(now)) continue;
      wake_ = wake_ ? std::min(*wake_, other.standing.rests_until()) : other.standing.rests_until();
    }
    return std::nullopt;
  }
  asked_ = Asked{*peer, from, now, now};
  wake_ = now + peers_.at(*peer).standing.patience();
  return Ask{*peer, from};
}

std::optional<Instant> BlockSync::next_timer() const {
  return wake_;
}

void BlockSync::pruned(const PeerId& from, BlockNumber oldest) {
  if (!asked_ || asked_->peer != from) return;
  // Nobody keeps less than what it has just become final, whatever it says.
  Peer& peer = peers_.at(from);
  peer.pruned_below = std::min(oldest, peer.standing.head);
  asked_.reset();
  forget_unproved();
}

BlockSync::Judged BlockSync::lie(const PeerId& from, std::string reason, Instant now) {
  miss(peers_.at(from), now);
  forget_unproved();
  return {Verdict::lie, std::move(reason)};
}

BlockSync::Judged BlockSync::judge(const PeerId& from, const RangeReply& reply,
                                   const Position& position, const VoteVerifier& verifier,
                                   Instant now) {
  if (!asked_ || asked_->peer != from) return {Verdict::ignored, {}};
  // Late, to a request that was given up, here or while a snapshot was fetched, or on another link:
  // no better than silence, and the answer may still come.
  const bool other = !reply.blocks.empty() && reply.blocks[0].header.number.value != asked_->from;
  if (other) return {Verdict::ignored, {}};
  const Asked asked = *asked_;
  asked_.reset();
  // Consensus was faster, or an epoch has ended since.
  const bool overtaken = asked.from <= position.head.number ||
                         (taken_ && taken_->last.number.next() != asked.from) ||
                         (!taken_ && asked.from != position.head.number.next());
  if (overtaken) return {Verdict::ignored, {}};
  if (reply.blocks.empty()) return lie(from, "a range without a block", now);
  std::string flaw = flaw_of(reply, position, verifier);
  if (!flaw.empty()) return lie(from, std::move(flaw), now);
  Peer& peer = peers_.at(from);
  // Blocks without a proof can be made up: whoever sends them one by one would be waited for until
  // they are too many.
  unproved_for_.value += ports::elapsed(asked.patient_from, now).value;
  if (reply.is_proved()) {
    unproved_for_ = DurationMs(0);
  } else if (unproved_for_.value > kUnprovedPatience * peer.standing.patience().value) {
    miss(peer, now);
    forget_unproved();
    return {Verdict::ignored, {}};
  }
  const std::uint64_t took = std::max<std::uint64_t>(ports::elapsed(asked.at, now).value, 1);
  const std::uint64_t speed = std::max<std::uint64_t>(reply.blocks.size() * 1'000 / took, 1);
  peer.blocks_a_second = peer.blocks_a_second == 0 ? speed : (3 * peer.blocks_a_second + speed) / 4;
  const Header& last = reply.blocks.items().back().header;
  taken_ = Taken{from,
                 {block_hash(last), last.number.value},
                 reply.is_proved(),
                 last.number.value == position.epoch_end};
  ++waiting_;
  return {Verdict::good, {}};
}

std::string BlockSync::flaw_of(const RangeReply& reply, const Position& position,
                               const VoteVerifier& verifier) const {
  ports::ChainHead below = taken_ ? taken_->last : position.head;
  for (const Block& block : reply.blocks) {
    const auto digest = consensus_digest(block.header);
    const bool in_place = block.header.number.value == below.number.next() &&
                          block.header.parent_hash == below.hash &&
                          block.header.number.value <= position.epoch_end && digest &&
                          digest->epoch == position.context.epoch;
    if (!in_place) return "a range that does not stand on the chain";
    if (!consensus::body_matches(block, position.epoch_end)) {
      return "a body that is not its header's";
    }
    below = {block_hash(block.header), block.header.number.value};
  }
  if (reply.epoch_proof) {
    const EpochProof& proof = reply.epoch_proof->proof;
    const bool fits = reply.epoch_proof->epoch == position.context.epoch &&
                      block_hash(proof.header) == below.hash;
    if (!fits || !verify_epoch_proof(proof, position.context, position.epoch_end, verifier).ok()) {
      return "a bad epoch proof";
    }
  }
  if (reply.finalization) {
    const Statement& statement = reply.finalization->statement;
    const bool fits = statement.kind == VoteKind::finalize && statement.hash == below.hash;
    if (!fits || !verify(*reply.finalization, position.context, verifier).ok()) {
      return "a bad certificate";
    }
  }
  return {};
}

bool BlockSync::settle(const PeerId& from, const RangeReply& reply, BlockNumber head, Instant now) {
  TALLY_ASSERT(waiting_ > 0);
  --waiting_;
  if (asked_) asked_->patient_from = now;
  const auto found = peers_.find(from);  // consensus may have dropped it meanwhile
  SyncPeer* const standing = found == peers_.end() ? nullptr : &found->second.standing;
  const BlockNumber last = reply.blocks.items().back().header.number.value;
  // It withholds the proof, where there are too many blocks without one, or an epoch that ends.
  const bool too_many = last.value > std::uint64_t{head.value} + kUnprovedBlocks;
  const bool ends = taken_ && taken_->last.number == last && taken_->ends_epoch;
  const bool useful = head >= last || (!reply.is_proved() && !too_many && !ends);
  if (useful) {
    if (standing != nullptr && reply.is_proved()) standing->serve();
    return true;
  }
  if (found != peers_.end()) miss(found->second, now);  // consensus could make nothing of it
  taken_.reset();
  waiting_ = 0;
  return false;
}

}  // namespace tally::core
