// Block sync: a node that was away or is new takes ranges of final blocks, in height order, from
// one peer after another, and lets consensus verify, execute and commit them.
#include <algorithm>

#include "node/core/node_core.hpp"

namespace tally::core {
namespace {

constexpr std::uint64_t kSyncPatienceMs = 2'000;  // before another peer is asked
constexpr std::uint32_t kBehind = 3;              // blocks: less is left to consensus
constexpr std::size_t kRangeBytes = 3 * 1024 * 1024;

}  // namespace

void NodeCore::on_message(const PeerId& from, const RangeRequest& request) {
  const ports::Store& store = *ports_.store;
  const std::uint32_t length = engine_->parameters().epoch_length;
  const Epoch epoch((request.from.value + length - 1) / length);
  if (request.from.value == 0 || request.from > head().number) return;
  Allowance& allowance = peers_.at(from).allowance;
  if (!allowance.admit(ports_.clock->now().instant, Allowance::kRequest)) return;
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
    if (bytes > kRangeBytes && !blocks.empty()) break;
    blocks.push_back(*std::move(block));
    if (auto found = ports::find_certificate(store, *hash)) {
      finalization = std::move(found);
      proved = blocks.size();
    }
  }
  allowance.charge(bytes);
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

void NodeCore::on_message(const PeerId& from, const RangeReply& reply) {
  if (!syncing_ || syncing_->peer != from || reply.blocks.empty()) return;
  syncing_.reset();
  const ports::Moment now = ports_.clock->now();
  const bool proved = reply.finalization || reply.epoch_proof;
  supplied_.reset();
  if (!proved) supplied_ = reply.blocks.items().back().header.number.value;
  engine_->on_event(consensus::Supplied{reply.blocks.items(), reply.finalization}, now);
  if (reply.epoch_proof) {
    engine_->on_event(consensus::Received{from, {peers_.at(from).status.hint, *reply.epoch_proof}},
                      now);
  }
}

void NodeCore::sync_blocks() {
  const Instant now = ports_.clock->now().instant;
  if (syncing_ && elapsed(syncing_->asked, now) < DurationMs(kSyncPatienceMs)) return;
  const BlockNumber mine = head().number;
  std::vector<PeerId> ahead;
  for (const auto& [id, peer] : peers_) {
    if (peer.known && peer.status.head.number.value > mine.value + kBehind) ahead.push_back(id);
  }
  if (ahead.empty()) {
    syncing_.reset();
    supplied_.reset();
    return;
  }
  // The next one after the peer that did not answer.
  auto next = ahead.begin();
  if (syncing_) {
    next = std::upper_bound(ahead.begin(), ahead.end(), syncing_->peer);
    if (next == ahead.end()) next = ahead.begin();
    supplied_.reset();
  }
  BlockNumber from = mine.next();
  if (supplied_ && *supplied_ >= from) from = supplied_->next();
  syncing_ = Syncing{*next, now};
  send(*next, ports::Channel::sync, RangeRequest{from});
}

}  // namespace tally::core
