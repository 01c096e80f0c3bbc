#include "node/core/node_core.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"

namespace tally::core {
namespace {

constexpr std::uint64_t kTouchMs = 2'000;        // between two Status messages
constexpr std::uint64_t kFar = 16;               // blocks: less is fetched by consensus as well
constexpr std::size_t kRepeatBytes = 64 * 1024;  // of own transactions, offered again

// What it costs to be asked this; nothing if it is no request.
std::optional<std::uint64_t> cost_of(const consensus::Message& message) {
  if (std::holds_alternative<consensus::CertificateRequest>(message)) return Allowance::kRequest;
  const auto* blocks = std::get_if<consensus::BlockRequest>(&message);
  if (blocks == nullptr) return std::nullopt;
  return std::max<std::uint64_t>(blocks->count, 1) * Allowance::kRequest;
}

}  // namespace

Bytes claim_bytes(const Hash& genesis_hash, const PeerId& from, const PeerId& to) {
  Bytes out = domain_tag("peer-claim");
  append(out, genesis_hash);
  append(out, from);
  append(out, to);
  return out;
}

NodeCore::NodeCore(consensus::ChainSetup chain, const PeerId& self, const CorePorts& ports)
    : self_(self),
      ports_(ports),
      chain_(std::move(chain)),
      genesis_hash_(chain_.genesis_hash),
      reports_({ports.store, ports.pool, ports.chain, ports.reporter}, genesis_hash_, self) {
  const ports::Moment now = ports_.clock->now();
  touch_at_ = now.instant;
  guests_ = std::make_unique<Allowance>(now.instant, Allowance::kGuests);
  guests_gossip_ = std::make_unique<Allowance>(now.instant, Allowance::kGuestsGossip);
  start_engine();
}

// On the store as it is.
void NodeCore::start_engine() {
  if (engine_ && engine_->simplex().guard().mode() == consensus::KeyGuard::Mode::shut) {
    chain_.stopped = engine_->simplex().guard().reason();
  }
  engine_ = std::make_unique<consensus::Engine>(
      chain_, consensus::Ports{ports_.store, ports_.application, ports_.verifier, ports_.signer},
      *ports_.vote_log, *ports_.high_water, ports_.clock->now());
}

void NodeCore::on_peer_up(const PeerId& peer) {
  peers_.insert_or_assign(peer,
                          Peer(ports_.clock->now().instant, guests_.get(), guests_gossip_.get()));
  engine_->on_event(consensus::PeerUp{peer, std::nullopt}, ports_.clock->now());
  send_status(peer);
  std::vector<Bytes> mine = ports_.pool->local(kRepeatBytes);
  auto& out = gossip_[peer];
  std::move(mine.begin(), mine.end(), std::back_inserter(out));
}

void NodeCore::on_peer_down(const PeerId& peer) {
  peers_.erase(peer);
  gossip_.erase(peer);
  block_sync_.peer_down(peer);
  if (snapshot_sync_) snapshot_sync_->peer_down(peer);
  engine_->on_event(consensus::PeerDown{peer}, ports_.clock->now());
}

void NodeCore::on_frame(const PeerId& from, ByteView frame) {
  if (!peers_.contains(from)) return;
  auto message = decode<WireMessage>(frame);
  if (!message.ok()) {
    ports_.network->disconnect(from, "a frame that does not decode: " + to_text(message.error()));
    return;
  }
  std::visit([&](const auto& content) { on_message(from, content); }, *message);
}

void NodeCore::on_timer() {
  const ports::Moment now = ports_.clock->now();
  // A validator that listens says at once which epoch it has come to: it is reminded of that one.
  const bool arrived = engine_->epoch() != touched_epoch_ &&
                       engine_->simplex().guard().mode() == consensus::KeyGuard::Mode::listening;
  const bool back = owes_claims_ && !ports_.signer->away();
  if (back) owes_claims_ = false;
  if (now.instant >= touch_at_ || arrived || back) keep_in_touch();
  if (back) engine_->on_event(consensus::Claimed{}, now);
  engine_->on_event(consensus::TimerFired{}, now);
}

void NodeCore::on_message(const PeerId& from, const Status& status) {
  if (status.genesis_hash != genesis_hash_) {
    ports_.network->disconnect(from, "a node of another chain");
    return;
  }
  Peer& peer = peers_.at(from);
  peer.status = status;
  peer.known = true;
  note_head(from, status.head.number);
  if (status.claim && peer.validator != status.claim->key && !take_claim(from, *status.claim))
    return;
  engine_->on_hint(from, status.hint, ports_.clock->now());
}

// Each link of a key is sent everything that consensus says, so that they are few; the others are
// guests, until one of the few ends.
bool NodeCore::take_claim(const PeerId& from, const ValidatorClaim& claim) {
  if (peers_.at(from).validator) {
    ports_.network->disconnect(from, "a claim to a second validator's key");
    return false;
  }
  const auto links = std::count_if(peers_.begin(), peers_.end(), [&](const auto& entry) {
    return entry.second.validator == claim.key;
  });
  if (links >= ports::kLinksOfValidator) return true;
  if (!ports_.verifier->verify(claim.key, claim_bytes(genesis_hash_, from, self_),
                               claim.signature)) {
    ports_.network->disconnect(from, "a claim to a validator's key with a bad signature");
    return false;
  }
  Peer& peer = peers_.at(from);
  peer.validator = claim.key;
  peer.member = engine_->current_set().find(claim.key) || engine_->next_set().find(claim.key);
  if (peer.member) {
    peer.allowance.leave(*guests_);
    peer.gossip.leave(*guests_gossip_);
  }
  engine_->on_event(consensus::PeerUp{from, claim.key}, ports_.clock->now());
  return true;
}

void NodeCore::on_message(const PeerId& from, const ConsensusFrame& frame) {
  Peer& peer = peers_.at(from);
  peer.status.hint = frame.envelope.hint;
  const ports::Moment now = ports_.clock->now();
  const auto cost = cost_of(frame.envelope.message);
  if (cost && !peer.allowance.admit(now.instant, *cost)) return;
  engine_->on_event(consensus::Received{from, frame.envelope}, now);
}

void NodeCore::send(const PeerId& to, ports::Channel channel, const WireMessage& message) {
  ports_.network->send(to, channel, encode(message));
}

void NodeCore::send_status(const PeerId& to) {
  Status status{genesis_hash_, engine_->hint(), head(), std::nullopt};
  Peer& peer = peers_.at(to);
  if (ports_.signer != nullptr && !peer.claim) {
    const auto signature = ports_.signer->try_sign(claim_bytes(genesis_hash_, self_, to));
    if (signature) peer.claim = ValidatorClaim{ports_.signer->consensus_key(), *signature};
    if (!signature && ports_.signer->away()) owes_claims_ = true;
  }
  status.claim = peer.claim;
  send(to, ports::Channel::consensus, status);
}

void NodeCore::keep_in_touch() {
  touch_at_ = ports_.clock->now().instant + DurationMs(kTouchMs);
  touched_epoch_ = engine_->epoch();
  const std::vector<Bytes> mine = ports_.pool->local(kRepeatBytes);
  for (const auto& [id, peer] : peers_) {
    send_status(id);
    auto& out = gossip_[id];
    out.insert(out.end(), mine.begin(), mine.end());
  }
}

ports::ChainHead NodeCore::head() const {
  const consensus::Floor& floor = engine_->simplex().floor();
  return {floor.hash, floor.header.number.value};
}

void NodeCore::end_turn() {
  const ports::Moment now = ports_.clock->now();
  if (pool_changed_) {
    pool_changed_ = false;
    engine_->on_event(consensus::PoolChanged{}, now);
  }
  supply_range();
  act(engine_->end_turn(now));
  report_evidence();
  sync();
  gossip();
}

void NodeCore::act(consensus::TurnOutput output) {
  // All of them at once: the state that the pool looks at is already that after the last.
  std::vector<Hash> included;
  for (const consensus::Finalized& block : output.finalized) {
    included.insert(included.end(), block.extrinsics.begin(), block.extrinsics.end());
  }
  if (!output.finalized.empty()) ports_.pool->on_final(included);
  for (const consensus::Finalized& block : output.finalized) {
    if (ports_.listener != nullptr) ports_.listener->on_final(block);
  }
  const bool by_sync = is_left_to_sync();
  for (auto& frame : output.sends) {
    if (by_sync && std::holds_alternative<consensus::BlockRequest>(frame.envelope.message))
      continue;
    const bool reply = std::holds_alternative<consensus::BlockReply>(frame.envelope.message);
    const Bytes bytes = encode(WireMessage(ConsensusFrame{std::move(frame.envelope)}));
    for (const PeerId& peer : frame.to) {
      const auto asked = reply ? peers_.find(peer) : peers_.end();
      if (asked != peers_.end()) asked->second.allowance.charge(bytes.size());
      ports_.network->send(peer, ports::Channel::consensus, bytes);
    }
  }
  for (const consensus::Disconnect& drop : output.disconnects) {
    ports_.network->disconnect(drop.peer, drop.reason);
  }
  for (const Evidence& evidence : output.evidence) {
    const bool fresh = reports_.keep(evidence, ports_.clock->now().instant);
    if (fresh && ports_.listener != nullptr) ports_.listener->on_evidence(evidence);
  }
  if (ports_.listener == nullptr) return;
  for (const std::string& text : output.alarms) ports_.listener->on_alarm(text);
  if (output.violation) ports_.listener->on_violation(*output.violation);
}

void NodeCore::report_evidence() {
  if (auto report = reports_.next_report(ports_.clock->now().instant)) {
    submit(*std::move(report), [this](const ports::PoolAnswer& answer) {
      const bool in = answer.verdict == ports::PoolVerdict::accepted ||
                      answer.verdict == ports::PoolVerdict::known;
      if (!in && ports_.listener != nullptr) {
        ports_.listener->on_evidence_news("the pool refuses a report: " + answer.reason);
      }
    });
  }
  for (const std::string& text : reports_.take_news()) {
    if (ports_.listener != nullptr) ports_.listener->on_evidence_news(text);
  }
}

// Consensus would fetch what a Finalization stands on backwards and execute it all at a stretch.
// While block sync brings the same blocks from below, with their signatures checked, it need not.
bool NodeCore::is_left_to_sync() const {
  const bool at_work = !ranges_.empty() || block_sync_.is_asking();
  return at_work && block_sync_.best_claimed().value > std::uint64_t{head().number.value} + kFar;
}

std::optional<Instant> NodeCore::next_timer() const {
  if (has_range_ready()) return ports_.clock->now().instant;
  Instant first = touch_at_;
  const auto sync = snapshot_sync_ ? snapshot_sync_->next_timer() : block_sync_.next_timer();
  if (sync) first = std::min(first, *sync);
  const auto consensus = engine_->next_timer();
  return consensus ? std::min(first, *consensus) : first;
}

CoreStatus NodeCore::status() const {
  CoreStatus out;
  out.hint = engine_->hint();
  out.head = head();
  out.best_seen = std::max(out.head.number, block_sync_.best_claimed());
  out.doubtful = block_sync_.best_doubtful(out.head.number);
  out.pruned_everywhere = block_sync_.is_pruned_everywhere(out.head.number);
  if (snapshot_sync_) {
    const auto progress = snapshot_sync_->progress().value_or(SnapshotSync::Progress{});
    out.snapshot = CoreStatus::Progress{progress.done, progress.total};
  }
  out.validates = engine_->simplex().self().has_value();
  out.standing = engine_->simplex().standing();
  out.pool_size = ports_.pool->size();
  return out;
}

std::vector<PeerStatus> NodeCore::peer_statuses() const {
  std::vector<PeerStatus> out;
  for (const auto& [id, peer] : peers_) {
    out.push_back({id, peer.validator, peer.status.head, peer.status.hint});
  }
  return out;
}

}  // namespace tally::core
