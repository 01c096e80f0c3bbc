// NodeCore's side of sync: what peers are answered, and which of block sync and snapshot sync is at
// work.
#include <algorithm>

#include "node/core/node_core.hpp"

namespace tally::core {
namespace {

// Of one range. The signatures of one are checked while another is executed: not all in one, unless
// it takes that much to come to a block with a proof.
constexpr std::size_t kRangeBytes = 1024 * 1024;
constexpr std::size_t kRangeBytesMax = 3 * 1024 * 1024;
constexpr std::size_t kProofBytes = 1024 * 1024;
// What walking to one leaf of a state and reading its value costs, in the allowance's unit.
constexpr std::uint64_t kLeafCost = 2 * 1024;
// Blocks: a newcomer that has fewer to fetch takes the blocks, unless it was told otherwise.
constexpr std::uint32_t kFarBehind = 1'000;
// Before a snapshot is looked for again where nobody had one.
constexpr std::uint64_t kSnapshotPauseMs = 10'000;

}  // namespace

bool NodeCore::admit(const PeerId& from, std::uint64_t cost) {
  return peers_.at(from).allowance.admit(ports_.clock->now().instant, cost);
}

void NodeCore::on_message(const PeerId& from, const RangeRequest& request) {
  const ports::Store& store = *ports_.store;
  const std::uint32_t length = engine_->parameters().epoch_length;
  const Epoch epoch((request.from.value + length - 1) / length);
  if (request.from.value == 0 || request.from > head().number) return;
  if (!admit(from, Allowance::kRequest)) return;
  const BlockNumber oldest = ports::oldest_block(store);
  if (request.from < oldest) return send(from, ports::Channel::sync, RangePruned{oldest});
  const BlockNumber end = consensus::epoch_end(epoch, length);
  std::vector<Block> blocks;
  std::size_t bytes = 0;
  std::size_t proved = 0;  // how many of them the newest Finalization among them covers
  std::optional<Finalization> finalization;
  for (BlockNumber at = request.from; at <= std::min(end, head().number); at = at.next()) {
    const auto hash = ports::find_final(store, at);
    auto block = hash ? ports::find_block(store, *hash) : std::nullopt;
    if (!block || blocks.size() == kMaxRangeBlocks) break;
    bytes += encode(*block).size();
    if (bytes > (proved > 0 ? kRangeBytes : kRangeBytesMax) && !blocks.empty()) break;
    blocks.push_back(*std::move(block));
    if (auto found = ports::find_certificate(store, *hash)) {
      finalization = std::move(found);
      proved = blocks.size();
    }
  }
  // Small blocks cost their reading, not their bytes.
  peers_.at(from).allowance.charge(bytes + blocks.size() * Allowance::kRequest);
  if (blocks.empty()) return;
  RangeReply reply;
  const bool reaches_end = blocks.back().header.number.value == end;
  const auto epoch_proof = reaches_end ? ports::find_epoch_proof(store, epoch) : std::nullopt;
  if (epoch_proof) {
    reply.epoch_proof = consensus::EpochProofMessage{epoch, *epoch_proof};
  } else if (proved > 0) {
    blocks.resize(proved);
    reply.finalization = std::move(finalization);
  }
  reply.blocks = *decltype(reply.blocks)::from(std::move(blocks));
  send(from, ports::Channel::sync, reply);
}

void NodeCore::on_message(const PeerId& from, const EpochProofsRequest& request) {
  if (request.from == Epoch(0) || !admit(from, kMaxEpochProofs * Allowance::kRequest)) return;
  EpochProofsReply reply;
  std::size_t bytes = 0;
  // Of epochs that are over here: a newcomer has proofs beyond its own head.
  for (Epoch epoch = request.from; epoch < engine_->epoch(); epoch = epoch.next()) {
    auto proof = ports::find_epoch_proof(*ports_.store, epoch);
    if (!proof) break;
    bytes += encode(*proof).size();
    if (bytes > kProofBytes && !reply.proofs.empty()) break;
    if (!reply.proofs.push_back(*std::move(proof))) break;
  }
  peers_.at(from).allowance.charge(bytes);
  send(from, ports::Channel::sync, reply);
}

void NodeCore::on_message(const PeerId& from, const SubtreesRequest& request) {
  if (!admit(from, Allowance::kRequest)) return;
  SubtreesReply reply;
  reply.id = request.id;
  if (ports_.snapshots != nullptr && request.at <= head().number) {
    auto read = ports_.snapshots->read(request.at, request.subtrees.items());
    reply.parts = *decltype(reply.parts)::from(std::move(read.parts));
    peers_.at(from).allowance.charge(read.leaves * kLeafCost);
  }
  const Bytes frame = encode(WireMessage(std::move(reply)));
  peers_.at(from).allowance.charge(frame.size());
  ports_.network->send(from, ports::Channel::sync, frame);
}

void NodeCore::on_message(const PeerId& from, const EpochProofsReply& reply) {
  if (snapshot_sync_) snapshot_sync_->on_reply(from, reply, ports_.clock->now().instant);
}

void NodeCore::on_message(const PeerId& from, const SubtreesReply& reply) {
  if (snapshot_sync_) snapshot_sync_->on_reply(from, reply, ports_.clock->now().instant);
}

void NodeCore::on_message(const PeerId& from, const RangePruned& answer) {
  if (snapshot_sync_) return snapshot_sync_->on_pruned(from);
  block_sync_.pruned(from, answer.oldest);
}

void NodeCore::on_message(const PeerId& from, const RangeReply& reply) {
  const ports::Moment now = ports_.clock->now();
  if (snapshot_sync_) return snapshot_sync_->on_reply(from, reply, now.instant);
  const consensus::EpochSetup& setup = engine_->simplex().setup();
  const BlockSync::Position position{
      head(), {setup.genesis_hash, setup.epoch, &setup.set}, setup.end};
  const auto judged = block_sync_.judge(from, reply, position, *ports_.verifier, now.instant);
  switch (judged.verdict) {
    case BlockSync::Verdict::ignored:
      return;
    case BlockSync::Verdict::lie:
      ports_.network->disconnect(from, judged.reason);
      return;
    case BlockSync::Verdict::good:
      break;
  }
  hold(from, reply);
}

// Signatures are checked while the ranges before this one are executed. Only of what is proved
// final: a peer that makes blocks up gets no more work out of this node than without it.
void NodeCore::hold(const PeerId& from, const RangeReply& reply) {
  const std::uint64_t ticket = next_ticket_++;
  std::vector<ports::SignatureJob> jobs;
  if (reply.is_proved()) jobs = ports_.application->foresee(ticket, reply.blocks.items());
  ranges_.push_back({from, reply, ticket, jobs.empty()});
  if (jobs.empty()) return;
  range_checks_.insert(ticket);
  ports_.verifier->check_later(ticket, std::move(jobs));
}

bool NodeCore::on_range_checked(std::uint64_t ticket, const std::vector<bool>& results) {
  if (range_checks_.erase(ticket) == 0) return false;
  const auto range = std::find_if(ranges_.begin(), ranges_.end(),
                                  [&](const Range& one) { return one.ticket == ticket; });
  if (range == ranges_.end()) return true;  // it has been forgotten
  range->checked = true;
  ports_.application->foreseen(ticket, results);
  return true;
}

// One a turn: executing it takes long, and what comes next is asked for when the turn ends.
void NodeCore::supply_range() {
  if (!has_range_ready()) return;
  const Range range = std::move(ranges_.front());
  ranges_.pop_front();
  const ports::Moment now = ports_.clock->now();
  const RangeReply& reply = range.reply;
  engine_->on_event(
      consensus::Supplied{reply.blocks.items(), reply.finalization, reply.finalization.has_value()},
      now);
  if (reply.epoch_proof) {
    const auto peer = peers_.find(range.from);
    const auto hint = peer == peers_.end() ? consensus::Hint{} : peer->second.status.hint;
    engine_->on_event(consensus::Received{range.from, {hint, *reply.epoch_proof}}, now);
  }
  ports_.application->dismiss(range.ticket);
  const Instant after = ports_.clock->now().instant;
  if (!block_sync_.settle(range.from, reply, head().number, after)) forget_ranges();
}

bool NodeCore::has_range_ready() const {
  return !ranges_.empty() && ranges_.front().checked;
}

void NodeCore::forget_ranges() {
  for (const Range& range : ranges_) ports_.application->dismiss(range.ticket);
  ranges_.clear();
}

void NodeCore::note_head(const PeerId& peer, BlockNumber number) {
  block_sync_.peer_head(peer, number);
  if (snapshot_sync_) snapshot_sync_->peer_head(peer, number);
}

// A node that has blocks takes a snapshot only where no peer has the next one any more.
bool NodeCore::wants_snapshot() const {
  if (ports_.snapshots == nullptr || ports_.sync.mode == SyncMode::blocks) return false;
  if (snapshot_pause_ && ports_.clock->now().instant < *snapshot_pause_) return false;
  const BlockNumber mine = head().number;
  if (ports_.snapshots->target()) return true;  // one was interrupted
  if (block_sync_.is_pruned_everywhere(mine)) return true;
  if (mine != BlockNumber(0)) return false;
  const BlockNumber best = block_sync_.best_claimed();
  const bool by_order = ports_.sync.mode == SyncMode::snapshot;
  return best.value >= engine_->parameters().epoch_length && (by_order || best.value > kFarBehind);
}

// One that was being fetched before this node came to it by blocks.
void NodeCore::forget_passed_state() {
  if (ports_.snapshots == nullptr) return;
  const auto target = ports_.snapshots->target();
  if (target && target->number <= head().number) ports_.snapshots->forget_staged();
}

void NodeCore::sync() {
  if (!snapshot_sync_) forget_passed_state();
  if (!snapshot_sync_ && wants_snapshot()) {
    block_sync_.pause();
    forget_ranges();
    snapshot_sync_.emplace(SnapshotSync::Chain{genesis_hash_, chain_.first, chain_.second,
                                               chain_.parameters.epoch_length, ports_.sync.trusted},
                           SnapshotSync::Parts{*ports_.store, *ports_.snapshots, *ports_.verifier},
                           head().number);
    for (const auto& [id, peer] : peers_) {
      if (peer.known) snapshot_sync_->peer_head(id, peer.status.head.number);
    }
  }
  if (snapshot_sync_) return sync_state();
  const auto ask = block_sync_.next(head(), ports_.clock->now().instant);
  if (ask) send(ask->peer, ports::Channel::sync, RangeRequest{ask->from});
}

void NodeCore::sync_state() {
  const ports::Moment now = ports_.clock->now();
  const SnapshotSync::Output output = snapshot_sync_->step(now.instant);
  for (const auto& [peer, message] : output.sends) send(peer, ports::Channel::sync, message);
  for (const auto& drop : output.drops) ports_.network->disconnect(drop.peer, drop.reason);
  if (ports_.listener != nullptr) {
    for (const std::string& text : output.alarms) ports_.listener->on_alarm(text);
  }
  if (output.installed) {
    snapshot_sync_.reset();
    start_from_snapshot();
  } else if (output.nothing_to_do) {
    snapshot_sync_.reset();
    snapshot_pause_ = now.instant + DurationMs(kSnapshotPauseMs);
    if (ports_.snapshots->target()) ports_.snapshots->forget_staged();
  }
}

// As a start of the process on this store would do, with the links that there are.
void NodeCore::start_from_snapshot() {
  const ports::Moment now = ports_.clock->now();
  start_engine();
  for (const auto& [id, peer] : peers_) {
    engine_->on_event(consensus::PeerUp{id, peer.validator}, now);
  }
  ports_.pool->on_final({});
  if (ports_.listener != nullptr) ports_.listener->on_snapshot(head());
  keep_in_touch();
  act(engine_->end_turn(now));
}

}  // namespace tally::core
