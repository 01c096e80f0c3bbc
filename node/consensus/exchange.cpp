// Talking to peers: what comes in, requests and answers, passing certificates on, retries.
#include <algorithm>

#include "node/consensus/planted.hpp"
#include "node/consensus/simplex.hpp"
#include "node/ports/chain.hpp"

namespace tally::consensus {
namespace {

constexpr std::size_t kReplyBytes = 3 * 1024 * 1024;
constexpr std::int64_t kClockAlarmMs = 250;
constexpr std::size_t kRemindedVotes = 48;  // the newest that a validator is reminded of

}  // namespace

void Simplex::send(std::vector<PeerId> to, Message message) {
  if (!to.empty()) actions_.sends.push_back({std::move(to), std::move(message)});
}

void Simplex::broadcast(const Message& message) {
  send(peers_.ids(), message);
}

void Simplex::on_peer_up(const PeerUp& up) {
  std::optional<ValidatorIndex> validator;
  if (up.validator) validator = setup_.set.find(*up.validator);
  peers_.up(up.peer, validator);
  if (validator) guard_.up(*validator, now_.instant);
  remind(up.peer);
  if (ports_.signer != nullptr && up.validator == ports_.signer->consensus_key()) {
    const std::string what =
        "a node with the same validator key is linked, its node key is " + to_hex(up.peer);
    if (guard_.mode() == KeyGuard::Mode::open) actions_.alarms.push_back(what);
    if (guard_.mode() == KeyGuard::Mode::listening) guard_.heard_foreign(what);
  }
  if (!guard_.may_sign()) return;
  // A link that comes back after a crash needs no retry interval to go on.
  for (const Vote& vote : own_signed_[current_]) {
    if (vote.statement.kind == VoteKind::notarize && leader(current_) == self_ &&
        body(vote.statement.hash) != nullptr) {
      send({up.peer}, make_proposal(current_, vote.statement.hash, vote));
    } else {
      send({up.peer}, VoteMessage{vote});
    }
  }
}

void Simplex::note_hint(const PeerId& peer, const Hint& hint) {
  const PeerState* state = peers_.find(peer);
  if (state == nullptr) return;
  const bool arrives = state->hint.epoch != setup_.epoch;
  peers_.hint(peer, hint);
  if (arrives) remind(peer);
}

// A validator that comes into the epoch hears what it has signed there and perhaps forgotten.
void Simplex::remind(const PeerId& peer) {
  const PeerState& state = *peers_.find(peer);
  if (!state.validator || state.hint.epoch != setup_.epoch || state.validator == self_) return;
  if (planted(Fault::no_reminder)) return;
  if (state.reminded && elapsed(*state.reminded, now_.instant).value < kRetryMsMin) return;
  const auto votes = table_.newest_of(*state.validator, kRemindedVotes);
  if (!votes.empty()) peers_.reminded(peer, now_.instant);
  for (const Vote& vote : votes) send({peer}, VoteMessage{vote});
}

void Simplex::on_received(const Received& received) {
  if (peers_.find(received.from) == nullptr) return;
  note_hint(received.from, received.envelope.hint);
  struct Visitor {
    Simplex& self;
    const PeerId& from;
    void operator()(const Proposal& proposal) const { self.on_proposal(from, proposal); }
    void operator()(const VoteMessage& message) const { self.on_vote(from, message.vote); }
    void operator()(const CertificateMessage& message) const {
      if (self.take_certificate(message.certificate)) return;
      self.actions_.disconnects.push_back({from, "a bad certificate"});
    }
    void operator()(const CertificateRequest& request) const { self.answer(from, request); }
    void operator()(const BlockRequest& request) const { self.answer(from, request); }
    void operator()(const BlockReply& reply) const { self.on_blocks(from, reply); }
    void operator()(const EpochProofMessage&) const {}  // between epochs, not within one
  };
  std::visit(Visitor{*this, received.from}, received.envelope.message);
}

// The kind that was asked for; else what there is of the view; else a Finalization above it.
void Simplex::answer(const PeerId& peer, const CertificateRequest& request) {
  if (request.epoch != setup_.epoch) return;
  if (request.view <= floor_.view) {
    if (floor_.finalization) send({peer}, CertificateMessage{*floor_.finalization});
    return;
  }
  if (const Certificate* held = table_.find(request.view, request.kind)) {
    send({peer}, CertificateMessage{*held});
    return;
  }
  for (const VoteKind kind : {VoteKind::finalize, VoteKind::nullify, VoteKind::notarize}) {
    if (const Certificate* held = table_.find(request.view, kind)) {
      send({peer}, CertificateMessage{*held});
    }
  }
  const auto above = table_.highest(VoteKind::finalize);
  if (above && *above > request.view) {
    send({peer}, CertificateMessage{*table_.find(*above, VoteKind::finalize)});
  }
}

void Simplex::answer(const PeerId& peer, const BlockRequest& request) {
  std::vector<Block> blocks;
  std::size_t bytes = 0;
  Hash hash = request.hash;
  const std::size_t count = std::clamp<std::size_t>(request.count, 1, kMaxAncestors);
  while (blocks.size() < count) {
    const TreeEntry* entry = tree_.find(hash);
    auto block =
        entry != nullptr ? std::optional(entry->block) : ports::find_block(*ports_.store, hash);
    if (!block) break;
    bytes += encode(*block).size();
    if (bytes > kReplyBytes && !blocks.empty()) break;
    hash = block->header.parent_hash;
    blocks.push_back(*std::move(block));
  }
  if (blocks.empty()) return;
  BlockReply reply;
  reply.blocks = *decltype(reply.blocks)::from(std::move(blocks));
  send({peer}, std::move(reply));
}

void Simplex::on_blocks(const PeerId& from, const BlockReply& reply) {
  std::optional<Hash> next;
  for (const Block& block : reply.blocks) {
    const Hash hash = block_hash(block.header);
    if (!fetcher_.wants(hash) && next != hash) return;
    const auto digest = consensus_digest(block.header);
    if (!digest || digest->epoch != setup_.epoch || digest->view <= floor_.view) return;
    if (!body_matches(block, setup_.end)) {
      actions_.disconnects.push_back({from, "a body that is not its header's"});
      return;
    }
    tree_.insert(hash, block);
    next = block.header.parent_hash;
  }
}

// Nothing of it is trusted: bodies must match their headers, and only a chain that ends in a
// Finalization is ever committed.
void Simplex::on_supplied(const Supplied& supplied) {
  // Nobody who answers with blocks of no chain may fill the tree for good.
  if (tree_.size() >= 2 * kMaxTreeBlocks) tree_.drop_unexecuted();
  for (const Block& block : supplied.blocks) {
    const auto digest = consensus_digest(block.header);
    if (!digest || digest->epoch != setup_.epoch || digest->view <= floor_.view) continue;
    if (tree_.size() >= 2 * kMaxTreeBlocks && !supplied.verified) break;
    if (body_matches(block, setup_.end)) tree_.insert(block_hash(block.header), block);
  }
  if (supplied.finalization) take_certificate(*supplied.finalization, supplied.verified);
}

void Simplex::request_missing() {
  for (const Asking& asking : fetcher_.due(peers_, now_.instant)) {
    if (const auto* hash = std::get_if<Hash>(&asking.want)) {
      // A node far behind takes whole ranges; one that misses a single block takes that.
      const auto ahead = table_.highest(VoteKind::finalize);
      const bool behind = ahead && ahead->value > floor_.view.value + 2;
      send(asking.peers,
           BlockRequest{*hash, static_cast<std::uint8_t>(behind ? kMaxAncestors : 1)});
    } else {
      const auto& wanted = std::get<WantedCertificate>(asking.want);
      send(asking.peers, CertificateRequest{setup_.epoch, wanted.view, wanted.kind});
    }
  }
}

bool Simplex::lacks(const PeerState& peer, const Statement& statement) const {
  if (planted(Fault::rebroadcast_storm)) return true;
  if (peer.hint.epoch > setup_.epoch) return false;
  if (peer.hint.epoch < setup_.epoch) return peer.hint.epoch == Epoch(0);  // nothing heard yet
  if (statement.kind == VoteKind::finalize) return peer.hint.floor < statement.view;
  return peer.hint.view <= statement.view;
}

// Once each, some time after it was made or received, to those whose hint shows that they lack it.
void Simplex::pass_on() {
  std::vector<Forward> later;
  for (Forward& forward : forwards_) {
    const Statement& statement = forward.certificate.statement;
    if (forward.at > now_.instant) {
      later.push_back(std::move(forward));
      continue;
    }
    if (statement.view < floor_.view) continue;  // the newest Finalization says more
    std::vector<PeerId> to;
    for (const auto& [peer, state] : peers_.all()) {
      if (lacks(state, statement)) to.push_back(peer);
    }
    send(std::move(to), CertificateMessage{forward.certificate});
  }
  forwards_ = std::move(later);
}

// Everything that a peer which lost our messages needs to go on, and our own votes in our own
// tally.
void Simplex::retry() {
  const auto send_vote = [&](const Vote& vote, Message message) {
    std::vector<PeerId> to;
    for (const auto& [peer, state] : peers_.all()) {
      if (lacks(state, vote.statement)) to.push_back(peer);
    }
    send(std::move(to), std::move(message));
  };
  std::vector<Vote> again;
  std::size_t finalizes = 0;
  for (auto views = own_signed_.rbegin(); views != own_signed_.rend(); ++views) {
    for (const Vote& vote : views->second) {
      const bool finalize = vote.statement.kind == VoteKind::finalize;
      const bool current = views->first == current_ || planted(Fault::rebroadcast_storm);
      if (finalize ? finalizes++ < kResentFinalizes : current) {
        again.push_back(vote);
      }
    }
  }
  for (const Vote& vote : guard_.may_sign() ? again : std::vector<Vote>{}) {
    const bool unsynced = std::find(unsynced_.begin(), unsynced_.end(), vote) != unsynced_.end();
    if (!unsynced) tally(vote);
    const bool lead =
        vote.statement.kind == VoteKind::notarize && leaders_.leader(vote.statement.view) == self_;
    if (lead && body(vote.statement.hash) != nullptr) {
      send_vote(vote, make_proposal(vote.statement.view, vote.statement.hash, vote));
    } else {
      send_vote(vote, VoteMessage{vote});
    }
  }
  const auto offer = [&](const Certificate* certificate) {
    if (certificate != nullptr) {
      forwards_.push_back({*certificate, now_.instant});
    }
  };
  if (floor_.finalization) offer(&*floor_.finalization);
  if (const auto ahead = table_.highest(VoteKind::finalize)) {
    offer(table_.find(*ahead, VoteKind::finalize));
  }
  const View ticket(current_.value - 1);
  const bool nullified = table_.has(ticket, VoteKind::nullify);
  offer(table_.find(ticket, nullified ? VoteKind::nullify : VoteKind::notarize));
}

// Money deadlines hang on header times: an operator hears of a clock that the quorum contradicts.
void Simplex::watch_clock(ValidatorIndex leader, TimestampMs time) {
  clock_offsets_[leader] =
      static_cast<std::int64_t>(time.value) - static_cast<std::int64_t>(now_.wall.value);
  std::uint64_t ahead = 0;
  std::uint64_t behind = 0;
  for (const auto& [validator, offset] : clock_offsets_) {
    if (offset > kClockAlarmMs) ahead += setup_.set.at(validator).weight;
    if (offset < -kClockAlarmMs) behind += setup_.set.at(validator).weight;
  }
  const bool wrong = std::max(ahead, behind) >= setup_.set.quorum();
  if (wrong && !clock_alarm_) {
    actions_.alarms.push_back("the clocks of a quorum differ from this node's by over 250 ms");
  }
  clock_alarm_ = wrong;
}

}  // namespace tally::consensus
