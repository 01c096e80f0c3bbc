#include "node/core/snapshot_sync.hpp"

#include "node/consensus/planted.hpp"
#include "node/consensus/simplex.hpp"
#include "node/ports/chain.hpp"
#include "primitives/assert.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::core {
namespace {

using consensus::Fault;
using consensus::planted;
using ports::Instant;
using ports::PeerId;
using ports::Subtree;

constexpr std::size_t kRequestsEach = 2;   // on their way to one peer
constexpr std::size_t kBatchMin = 4;       // subtrees of one request
constexpr std::uint64_t kPauseMs = 5'000;  // before peers that lack the target are asked again

std::uint64_t share_of(std::uint8_t depth) {
  return depth >= 8 ? 0 : std::uint64_t{1} << (32 - 4 * depth);
}

}  // namespace

SnapshotSync::SnapshotSync(Chain chain, const Parts& parts, BlockNumber head)
    : chain_(std::move(chain)), parts_(parts), head_(head) {
  while (ports::find_epoch_proof(parts_.store, next_epoch_)) next_epoch_ = next_epoch_.next();
  if (chain_.trusted) check_stored_proofs();
}

BlockNumber SnapshotSync::end_of(Epoch epoch) const {
  return consensus::epoch_end(epoch, chain_.epoch_length);
}

ValidatorSet SnapshotSync::set_of(Epoch epoch) const {
  if (epoch == Epoch(1)) return chain_.first;
  if (epoch == Epoch(2)) return chain_.second;
  const auto proof = ports::find_epoch_proof(parts_.store, Epoch(epoch.value - 2));
  TALLY_ASSERT(proof.has_value());
  auto set = named_set(proof->header);
  TALLY_ASSERT(set.has_value());  // verify_epoch_proof has seen to it
  return *std::move(set);
}

void SnapshotSync::peer_head(const PeerId& peer, BlockNumber head) {
  const auto [at, added] = peers_.try_emplace(peer);
  Peer& known = at->second;
  if (added) known.turn = next_turn_++;
  // An epoch that has ended since may be proved now.
  if (known.standing.head.value / chain_.epoch_length != head.value / chain_.epoch_length) {
    known.proves_none_from.reset();
  }
  known.standing.head = head;
}

void SnapshotSync::peer_down(const PeerId& peer) {
  peers_.erase(peer);
  if (asked_one_ && asked_one_->peer == peer) asked_one_.reset();
  std::vector<std::uint32_t> gone;
  for (const auto& [id, asked] : asked_) {
    if (asked.peer == peer) gone.push_back(id);
  }
  for (const std::uint32_t id : gone) forget_request(id);
}

// What it asked for is open again.
void SnapshotSync::forget_request(std::uint32_t id) {
  const auto found = asked_.find(id);
  for (const Want& want : found->second.wants) wants_[want.place] = want.hash;
  const auto peer = peers_.find(found->second.peer);
  if (peer != peers_.end()) peer->second.requests -= 1;
  asked_.erase(found);
}

void SnapshotSync::lie(const PeerId& peer, std::string reason, Instant now) {
  const auto found = peers_.find(peer);
  if (found != peers_.end()) found->second.standing.miss(now);
  output_.drops.push_back({peer, std::move(reason)});
}

void SnapshotSync::wake_at(Instant at) {
  if (!wake_ || at < *wake_) wake_ = at;
}

std::optional<SnapshotSync::Progress> SnapshotSync::progress() const {
  if (phase_ == Phase::proofs) return std::nullopt;
  return Progress{done_ >> 16};
}

std::optional<BlockNumber> SnapshotSync::target() const {
  if (!target_) return std::nullopt;
  return target_->number;
}

SnapshotSync::Output SnapshotSync::step(Instant now) {
  wake_.reset();
  head_ = std::max(head_, ports::find_head(parts_.store)->number);  // it moves by blocks meanwhile
  if (target_ && target_->number <= head_) {
    output_.nothing_to_do = true;
    return std::exchange(output_, {});
  }
  if (asked_one_) {
    Peer& peer = peers_.at(asked_one_->peer);
    const Instant until = asked_one_->at + peer.standing.patience();
    if (until > now) {
      wake_at(until);
    } else {
      peer.standing.miss(now);
      peer.turn = next_turn_++;
      asked_one_.reset();
    }
  }
  switch (phase_) {
    case Phase::proofs:
      ask_for_proofs(now);
      break;
    case Phase::state:
      ask_for_subtrees(now);
      break;
    case Phase::block:
      ask_for_block(now);
      break;
  }
  for (const auto& [id, peer] : peers_) {
    if (peer.standing.rests(now)) wake_at(peer.standing.rests_until());
  }
  Output out = std::move(output_);
  output_ = {};
  return out;
}

void SnapshotSync::ask_for_proofs(Instant now) {
  if (asked_one_) return;
  if (pause_until_ && now < *pause_until_) return wake_at(*pause_until_);
  pause_until_.reset();
  if (waits_for_prover(now)) return;
  if (const auto peer = choose_prover(now)) {
    asked_one_ = AskedOne{*peer, now};
    wake_at(now + peers_.at(*peer).standing.patience());
    output_.sends.emplace_back(*peer, EpochProofsRequest{next_epoch_});
    return;
  }
  const Epoch newest(next_epoch_.value - 1);
  if (newest == Epoch(0) || end_of(newest) <= head_ || !is_trusted(newest)) {
    output_.nothing_to_do = true;
    return;
  }
  begin_state();
  ask_for_subtrees(now);
}

// Who has proved much and misses an answer is asked again: its proofs would go with it.
bool SnapshotSync::waits_for_prover(Instant now) {
  if (!prover_ || !is_before_trusted()) return false;
  if (next_epoch_.value <= head_.value / chain_.epoch_length + 1) return false;  // none of its
  const auto found = peers_.find(*prover_);
  if (found == peers_.end() || found->second.proves_none_from) return false;
  const SyncPeer& prover = found->second.standing;
  if (!prover.rests(now) || !prover.is_trusted()) return false;
  wake_at(prover.rests_until());
  return true;
}

// Up to the trusted block all from one: the next proof of another would not stand on what this one
// made up. Each has its turn: two that fail in turns do not keep the others from theirs.
std::optional<PeerId> SnapshotSync::choose_prover(Instant now) {
  const auto may_prove = [&](const auto& entry) {
    const Peer& peer = entry.second;
    return peer.standing.head >= end_of(next_epoch_) && !peer.proves_none_from &&
           !peer.standing.rests(now);
  };
  if (prover_ && is_before_trusted()) {
    const auto same = peers_.find(*prover_);
    if (same != peers_.end() && may_prove(*same)) return prover_;
    if (same != peers_.end()) {
      same->second.proves_none_from = next_epoch_;
      same->second.turn = next_turn_++;
    }
    forget_proofs();
  }
  prover_.reset();
  std::uint64_t first = next_turn_;
  for (const auto& entry : peers_) {
    if (!may_prove(entry) || entry.second.turn >= first) continue;
    first = entry.second.turn;
    prover_ = entry.first;
  }
  return prover_;
}

void SnapshotSync::on_reply(const PeerId& from, const EpochProofsReply& reply, Instant now) {
  if (phase_ != Phase::proofs || !asked_one_ || asked_one_->peer != from) return;
  // Late, to a request that was given up; the answer to the newest one is still to come.
  const bool late = !reply.proofs.empty() && next_epoch_ > Epoch(1) &&
                    reply.proofs[0].header.number.value <= end_of(Epoch(next_epoch_.value - 1));
  if (late) return;
  asked_one_.reset();
  Peer& peer = peers_.at(from);
  for (const EpochProof& proof : reply.proofs) {
    if (!take_proof(proof)) return lie(from, "a bad epoch proof", now);
  }
  if (reply.proofs.empty()) {
    peer.proves_none_from = next_epoch_;
    peer.turn = next_turn_++;
    if (prover_ == from && is_before_trusted()) {  // whatever it says of its head from now on
      forget_proofs();
      prover_.reset();
    }
  } else {
    peer.standing.serve();
    peer.standing.head = std::max(peer.standing.head, end_of(Epoch(next_epoch_.value - 1)));
    if (is_before_trusted()) return;
    for (auto& [id, other] : peers_) other.proves_none_from.reset();
  }
}

bool SnapshotSync::take_proof(const EpochProof& proof) {
  const ValidatorSet set = set_of(next_epoch_);
  const FinalityContext context{chain_.genesis_hash, next_epoch_, &set};
  const BlockNumber end = end_of(next_epoch_);
  if (!planted(Fault::any_epochs_end) &&
      !verify_epoch_proof(proof, context, end, parts_.verifier).ok()) {
    return false;
  }
  if (chain_.trusted && chain_.trusted->number == end &&
      chain_.trusted->hash != block_hash(proof.header)) {
    warn_of_other_chain("a peer proves a chain", proof.header,
                        "the peer is dropped; if others prove the same, ask again for the block");
    return false;
  }
  parts_.store.write({ports::put_epoch_proof(next_epoch_, proof)}, ports::Durability::buffered);
  next_epoch_ = next_epoch_.next();
  return true;
}

// Where the operator named a block, nothing is taken that does not stand on it.
bool SnapshotSync::is_trusted(Epoch newest) {
  if (!chain_.trusted) return true;
  if (end_of(newest) < chain_.trusted->number) return false;
  const Epoch epoch(chain_.trusted->number.value / chain_.epoch_length);
  const auto proof = ports::find_epoch_proof(parts_.store, epoch);
  return proof && block_hash(proof->header) == chain_.trusted->hash;
}

// Nothing that is proved now is known to lead there.
bool SnapshotSync::is_before_trusted() const {
  return chain_.trusted && end_of(Epoch(next_epoch_.value - 1)) < chain_.trusted->number;
}

// What is stored may have come before the operator named a block, or from a peer that is gone.
void SnapshotSync::check_stored_proofs() {
  if (is_before_trusted()) return forget_proofs();
  if (is_trusted(Epoch(next_epoch_.value - 1))) return;
  const Epoch epoch(chain_.trusted->number.value / chain_.epoch_length);
  const auto proof = ports::find_epoch_proof(parts_.store, epoch);
  TALLY_ASSERT(proof.has_value());
  const bool own = chain_.trusted->number <= head_;
  warn_of_other_chain(own ? "this node is on a chain" : "what peers have proved is a chain",
                      proof->header,
                      own ? "if the block is right, remove db/ and keep votes.log and high-water"
                          : "it is forgotten, and proved anew");
  if (!own) forget_proofs();
}

// Those of the chain that this node has stay.
void SnapshotSync::forget_proofs() {
  const Epoch over(head_.value / chain_.epoch_length);
  ports::WriteBatch batch;
  while (next_epoch_ > over.next()) {
    next_epoch_ = Epoch(next_epoch_.value - 1);
    batch.push_back(ports::erase_epoch_proof(next_epoch_));
  }
  if (!batch.empty()) parts_.store.write(std::move(batch), ports::Durability::buffered);
}

void SnapshotSync::warn_of_other_chain(const std::string& whose, const Header& header,
                                       const std::string& advice) {
  output_.alarms.push_back(whose + " without the trusted block: block " +
                           std::to_string(chain_.trusted->number.value) + " should be " +
                           to_hex_prefixed(chain_.trusted->hash) + " by --trust-block and is " +
                           to_hex_prefixed(block_hash(header)) + "; " + advice);
}

void SnapshotSync::begin_state() {
  const Epoch newest(next_epoch_.value - 1);
  const auto proof = ports::find_epoch_proof(parts_.store, newest);
  TALLY_ASSERT(proof.has_value());
  const ports::SnapshotTarget target{newest, end_of(newest), block_hash(proof->header),
                                     proof->header.state_root};
  if (target_ != target) {
    for (auto& [id, peer] : peers_) peer.lacks_target = false;
  }
  target_ = target;
  if (parts_.snapshots.target() != target) parts_.snapshots.set_target(target);
  phase_ = Phase::state;
  wants_.clear();
  done_ = 0;
  want({}, target.state_root);
}

// Unless it is staged already.
void SnapshotSync::want(const Place& place, const Hash& hash) {
  const Subtree subtree{place.depth, place.path};
  if (parts_.snapshots.staged_leaves(subtree) == hash) {
    done_ += share_of(place.depth);
    return;
  }
  if (const auto stored = parts_.snapshots.staged_node(subtree)) {
    const auto node = tree::Node::decode(*stored, {BlockNumber(~0U), place.depth, place.path});
    if (node && node->hash() == hash) return expand(place, *node);
  }
  wants_[place] = hash;
}

void SnapshotSync::expand(const Place& place, const tree::Node& node) {
  for (unsigned nibble = 0; nibble < tree::Node::kWidth; ++nibble) {
    const tree::NodeKey child = tree::NodeKey{{}, place.depth, place.path}.child(nibble, {});
    if (const auto slot = node.slot(nibble))
      want({child.path, child.depth}, slot->hash);
    else
      done_ += share_of(child.depth);
  }
}

// Not by those that are not there yet, or are silent, and rest for it.
bool SnapshotSync::target_is_served(Instant now) const {
  if (peers_.empty()) return true;  // somebody may come who does
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const Peer& peer = entry.second;
    const bool silent = !peer.standing.is_trusted() && peer.standing.rests(now);
    return peer.standing.head >= target_->number && !peer.lacks_target && !silent;
  });
}

// A newer one may be served; what is staged stays.
void SnapshotSync::give_up_target(Instant now) {
  std::vector<std::uint32_t> ids;
  for (const auto& [id, asked] : asked_) ids.push_back(id);
  for (const std::uint32_t id : ids) forget_request(id);
  phase_ = Phase::proofs;
  target_.reset();
  pause_until_ = now + DurationMs(kPauseMs);
  wake_at(*pause_until_);
  for (auto& [id, peer] : peers_) peer.proves_none_from.reset();
}

void SnapshotSync::ask_for_subtrees(Instant now) {
  std::vector<std::uint32_t> late;
  for (const auto& [id, asked] : asked_) {
    const Instant until = asked.at + peers_.at(asked.peer).standing.patience();
    if (until > now)
      wake_at(until);
    else
      late.push_back(id);
  }
  for (const std::uint32_t id : late) {
    Peer& peer = peers_.at(asked_.at(id).peer);
    if (!peer.standing.rests(now)) peer.standing.miss(now);
    forget_request(id);
  }
  if (wants_.empty() && asked_.empty()) {
    phase_ = Phase::block;
    return ask_for_block(now);
  }
  if (!target_is_served(now)) return give_up_target(now);
  for (bool more = true; more;) {  // in turn, so that all have something to do
    more = false;
    for (auto& [id, peer] : peers_) {
      if (wants_.empty()) return;
      const bool serves = peer.standing.head >= target_->number && !peer.lacks_target;
      if (!serves || peer.standing.rests(now) || peer.requests >= kRequestsEach) continue;
      SubtreesRequest request{next_id_++, target_->number, {}};
      Asked asked{id, now, {}};
      while (!wants_.empty() && asked.wants.size() < peer.batch) {
        const auto first = wants_.begin();
        asked.wants.push_back({first->first, first->second});
        TALLY_ASSERT(request.subtrees.push_back({first->first.depth, first->first.path}));
        wants_.erase(first);
      }
      peer.requests += 1;
      wake_at(now + peer.standing.patience());
      asked_.emplace(request.id, std::move(asked));
      output_.sends.emplace_back(id, std::move(request));
      more = true;
    }
  }
}

void SnapshotSync::on_reply(const PeerId& from, const SubtreesReply& reply, Instant now) {
  const auto found = asked_.find(reply.id);
  if (found == asked_.end() || found->second.peer != from) return;
  Asked& asked = found->second;
  Peer& peer = peers_.at(from);
  if (reply.parts.empty()) {
    peer.lacks_target = true;
    return forget_request(reply.id);
  }
  std::size_t good = 0;
  while (good < reply.parts.size() && good < asked.wants.size() &&
         take_part(asked.wants[good], reply.parts[good])) {
    ++good;
  }
  const bool lied = good < reply.parts.size();
  asked.wants.erase(asked.wants.begin(), asked.wants.begin() + static_cast<std::ptrdiff_t>(good));
  forget_request(reply.id);
  if (lied) return lie(from, "a part of another state", now);
  peer.standing.serve();
  peer.batch = std::clamp(2 * good, kBatchMin, ports::kMaxSubtrees);
}

// False when it is not what hangs at that place.
bool SnapshotSync::take_part(const Want& wanted, const ports::SubtreePart& part) {
  const tree::NodeKey at{target_->number, wanted.place.depth, wanted.place.path};
  const Subtree subtree{wanted.place.depth, wanted.place.path};
  if (const auto* inner = std::get_if<ports::SubtreeNode>(&part)) {
    const auto node = tree::Node::decode(inner->node, at);
    if (!node || (node->hash() != wanted.hash && !planted(Fault::any_part))) return false;
    parts_.snapshots.stage_node(subtree, inner->node);
    expand(wanted.place, *node);
    return true;
  }
  const auto& entries = std::get<ports::SubtreeLeaves>(part).entries;
  std::vector<StateLeaf> leaves;
  leaves.reserve(entries.size());
  for (const ports::StateEntry& entry : entries) {
    leaves.push_back({state_key_hash(entry.key), state_value_hash(entry.value)});
    if (leaves.size() > 1 && !(leaves[leaves.size() - 2].key < leaves.back().key)) return false;
    for (std::size_t i = 0; i < at.depth; ++i) {
      if (tree::nibble_at(leaves.back().key, i) != tree::nibble_at(at.path, i)) return false;
    }
  }
  const tree::Part built = tree::build_part(at, leaves);
  const bool right = built.slot && built.slot->hash == wanted.hash;
  if (!right && !planted(Fault::any_part)) return false;
  parts_.snapshots.stage_leaves(subtree, wanted.hash, entries);
  done_ += share_of(at.depth);
  return true;
}

std::optional<PeerId> SnapshotSync::idle_peer(Instant now) const {
  for (const auto& [id, peer] : peers_) {
    const bool serves = peer.standing.head >= target_->number && !peer.lacks_target;
    if (serves && !peer.standing.rests(now)) return id;
  }
  return std::nullopt;
}

void SnapshotSync::ask_for_block(Instant now) {
  if (block_) return install();
  if (asked_one_) return;
  if (!target_is_served(now)) return give_up_target(now);
  const auto peer = idle_peer(now);
  if (!peer) return;
  asked_one_ = AskedOne{*peer, now};
  wake_at(now + peers_.at(*peer).standing.patience());
  output_.sends.emplace_back(*peer, RangeRequest{target_->number});
}

void SnapshotSync::on_pruned(const PeerId& from) {
  if (phase_ != Phase::block || !asked_one_ || asked_one_->peer != from) return;
  asked_one_.reset();
  peers_.at(from).lacks_target = true;
}

void SnapshotSync::on_reply(const PeerId& from, const RangeReply& reply, Instant now) {
  if (phase_ != Phase::block || !asked_one_ || asked_one_->peer != from) return;
  const bool late = !reply.blocks.empty() && reply.blocks[0].header.number.value != target_->number;
  if (late) return;  // likewise
  asked_one_.reset();
  const bool right = !reply.blocks.empty() &&
                     block_hash(reply.blocks[0].header) == target_->block &&
                     (consensus::body_matches(reply.blocks[0], target_->number) ||
                      planted(Fault::any_snapshot_body));
  if (!right) return lie(from, "another block than the epoch's last", now);
  block_ = reply.blocks[0];
}

// In step() and nowhere else: who calls it knows that the chain under it may change.
void SnapshotSync::install() {
  const Block block = *std::exchange(block_, std::nullopt);
  switch (parts_.snapshots.install(block, chain_.epoch_length)) {
    case ports::InstallResult::installed:
      output_.installed = true;
      return;
    case ports::InstallResult::wrong_root:
      output_.alarms.push_back(
          "the parts of a fetched state were right and the whole is not: this disk or memory is "
          "unsound; the state is fetched anew");
      begin_state();
      return;
    case ports::InstallResult::passed:
      output_.nothing_to_do = true;
      return;
  }
}

}  // namespace tally::core
