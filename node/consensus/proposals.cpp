// Judging and making proposals. See simplex.hpp for the rules.
#include <algorithm>

#include "node/consensus/coverage.hpp"
#include "node/consensus/planted.hpp"
#include "node/consensus/simplex.hpp"
#include "node/ports/chain.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/merkle/merkle.hpp"

namespace tally::consensus {
bool body_matches(const Block& block, BlockNumber epoch_end) {
  if (planted(Fault::unchecked_bodies)) return true;
  std::vector<Hash> hashes;
  hashes.reserve(block.extrinsics.size());
  for (const Bytes& extrinsic : block.extrinsics) hashes.push_back(blake2_256(extrinsic));
  if (merkle_root(hashes) == block.header.extrinsics_root) return true;
  // A filler has the hash of the epoch's last block there.
  return block.extrinsics.empty() && block.header.number.value == epoch_end &&
         !has_set_item(block.header);
}

TimestampMs Simplex::time_of(const Header& header) const {
  const auto digest = consensus_digest(header);
  return digest ? digest->time : setup_.genesis_time;
}

bool Simplex::well_formed(const Proposal& proposal, ValidatorIndex leader) const {
  const Statement& statement = proposal.notarize.statement;
  if (statement.kind != VoteKind::notarize || proposal.notarize.signer != leader) return false;
  const auto digest = consensus_digest(proposal.block.header);
  if (!digest || digest->epoch != setup_.epoch || digest->view != statement.view) return false;
  if (block_hash(proposal.block.header) != statement.hash) return false;
  if (proposal.parent && (proposal.parent->statement.kind != VoteKind::notarize ||
                          proposal.parent->statement.hash != proposal.block.header.parent_hash ||
                          proposal.parent->statement.view >= statement.view)) {
    return false;
  }
  return body_matches(proposal.block, setup_.end);
}

void Simplex::on_proposal(const PeerId& from, const Proposal& proposal) {
  const Statement& statement = proposal.notarize.statement;
  const View view = statement.view;
  if (statement.epoch != setup_.epoch) return;
  if (view <= floor_.view || view.value > current_.value + kViewWindow) return;
  const bool any_leader =
      planted(Fault::any_leader) && setup_.set.contains(proposal.notarize.signer);
  const ValidatorIndex leader = any_leader ? proposal.notarize.signer : leaders_.leader(view);
  const auto slot = proposals_.find(view);
  if (slot == proposals_.end() || slot->second.hash != statement.hash) {
    const Bytes message = statement_bytes(setup_.genesis_hash, statement);
    if (!well_formed(proposal, leader) ||
        !ports_.verifier->verify(setup_.set.at(leader).consensus_key, message,
                                 proposal.notarize.signature)) {
      actions_.disconnects.push_back({from, "a proposal that is not its leader's"});
      return;
    }
    const PeerState* peer = peers_.find(from);
    if (peer != nullptr && peer->validator == leader) peers_.heard(leader, now_.instant);
    if (leader == self_ && guard_.is_on()) {
      heard_own(statement, "in a proposal");
      return;
    }
    tally(proposal.notarize);
    if (slot == proposals_.end()) {
      ProposalSlot fresh{statement.hash, false};
      fresh.judged_invalid = encode(proposal.block).size() > parameters_.block_bytes_max;
      if (!fresh.judged_invalid) tree_.insert(statement.hash, proposal.block);
      proposals_.emplace(view, fresh);
    }
  }
  // A second block of one leader is no longer of interest here, its justification may be.
  bool certificates_hold = !proposal.parent || take_certificate(*proposal.parent);
  for (const Nullification& nullification : proposal.nullifications) {
    certificates_hold = certificates_hold && nullification.statement.kind == VoteKind::nullify &&
                        take_certificate(nullification);
  }
  if (!certificates_hold) actions_.disconnects.push_back({from, "a bad justification"});
  if (view == current_) {
    pacemaker_.expect(now_.instant);
    pacemaker_.proposal_seen();
    // Of the block that was checked: a repetition may carry any other under the same statement.
    const TreeEntry* entry = tree_.find(statement.hash);
    if (entry != nullptr) watch_clock(leader, entry->digest.time);
  }
}

void Simplex::try_notarize() {
  if (!self_ || halted_ || own_.in(current_).notarized) return;
  const auto found = proposals_.find(current_);
  if (found == proposals_.end()) return;
  ProposalSlot& slot = found->second;
  switch (slot.judged_invalid ? Verdict::invalid : judge(slot)) {
    case Verdict::pending:
      if (planted(Fault::pending_is_invalid)) nullify();
      return;
    case Verdict::invalid:
      slot.judged_invalid = true;
      nullify();
      return;
    case Verdict::valid:
      break;
  }
  if (planted(Fault::certify_without_notarization)) certified_[current_] = slot.hash;
  if (sign({setup_.epoch, VoteKind::notarize, current_, slot.hash})) {
    broadcast(VoteMessage{own_signed_[current_].back()});
  }
}

// "Not here yet" is pending and never a verdict of invalid.
Simplex::Verdict Simplex::judge(const ProposalSlot& slot) {
  TreeEntry* entry = body(slot.hash);
  if (entry == nullptr) {
    want_block(slot.hash, current_);
    return Verdict::pending;
  }
  const Hash parent = entry->block.header.parent_hash;
  View parent_view = floor_.view;
  if (parent != floor_.hash) {
    const TreeEntry* below = body(parent);
    if (below == nullptr) {
      want_block(parent, current_);
      return Verdict::pending;
    }
    parent_view = below->digest.view;
    if (!below->certified && !planted(Fault::certify_without_notarization)) {
      if (!table_.has(parent_view, VoteKind::notarize)) {
        fetcher_.want(WantedCertificate{parent_view, VoteKind::notarize},
                      peers_.of(leaders_.leader(current_)));
      }
      return Verdict::pending;
    }
  }
  if (parent_view >= current_) return Verdict::invalid;
  if (!nullified_between(parent_view, current_)) return Verdict::pending;
  const Verdict verdict = check_time(*entry);
  return verdict == Verdict::valid ? check_on_parent(slot.hash, *entry) : verdict;
}

bool Simplex::nullified_between(View below, View above) {
  if (planted(Fault::skip_nullifications)) return true;
  bool all = true;
  for (View view = below.next(); view < above; view = view.next()) {
    if (table_.has(view, VoteKind::nullify)) continue;
    fetcher_.want(WantedCertificate{view, VoteKind::nullify}, peers_.of(leaders_.leader(above)));
    all = false;
  }
  return all;
}

Simplex::Verdict Simplex::check_time(const TreeEntry& entry) {
  const Header* parent = header_of(entry.block.header.parent_hash);
  TALLY_ASSERT(parent != nullptr);
  if (entry.digest.time <= time_of(*parent) && !planted(Fault::any_past)) {
    mark(Mark::time_refused);
    return Verdict::invalid;
  }
  const std::uint64_t limit = now_.wall.value + parameters_.max_drift.value;
  if (entry.digest.time.value <= limit || planted(Fault::any_future)) return Verdict::valid;
  mark(Mark::time_waited_for);
  // Capped: a leader may name a time that no timer can wait for.
  const std::uint64_t wait = std::min<std::uint64_t>(entry.digest.time.value - limit, 60'000);
  wake_at(now_.instant + DurationMs(wait));
  return Verdict::pending;
}

bool Simplex::rules_hold(const TreeEntry& entry, const Header& parent, bool filler) {
  const Header& header = entry.block.header;
  const View view = entry.digest.view;
  if (entry.digest.epoch != setup_.epoch) return false;
  const auto below = consensus_digest(parent);
  if (below && below->epoch == setup_.epoch && below->view >= view) return false;
  if (entry.digest.time <= time_of(parent) && !planted(Fault::any_past)) return false;
  const Validator& proposer = setup_.set.at(leaders_.leader(view));
  if (!ports_.verifier->verify_vrf(proposer.vrf_key, vrf_alpha(setup_, view),
                                   entry.digest.vrf_proof)) {
    return false;
  }
  if (filler) return is_filler_on(header, parent) && entry.block.extrinsics.empty();
  if (header.number.value != parent.number.value.next()) return planted(Fault::any_height);
  for (const Bytes& extrinsic : entry.block.extrinsics) {
    if (extrinsic.size() > parameters_.extrinsic_bytes_max) return false;
  }
  if (header.number.value != setup_.end) return !has_set_item(header);
  const auto set = named_set(header);
  return set && set->check().ok();
}

// The parent is certified, or all of the chain is final: either way it was executed here.
Simplex::Verdict Simplex::check_on_parent(const Hash& hash, TreeEntry& entry) {
  if (entry.state == BlockState::invalid) return Verdict::invalid;
  if (entry.state == BlockState::stored) {
    const Header* parent = header_of(entry.block.header.parent_hash);
    TALLY_ASSERT(parent != nullptr);
    const bool filler = parent->number.value == setup_.end;
    bool valid = rules_hold(entry, *parent, filler);
    std::string reason = "it breaks a rule of the header";
    if (valid && !filler) {
      const AccountId& proposer = setup_.set.at(leaders_.leader(entry.digest.view)).account;
      ports::Execution execution = ports_.application->execute(hash, entry.block, proposer);
      valid = execution.valid;
      reason = std::move(execution.reason);
    }
    if (!valid) {
      actions_.alarms.push_back("block " + to_hex(hash) + " is invalid: " + reason);
      entry.state = BlockState::invalid;
      return Verdict::invalid;
    }
    entry.state = BlockState::executed;
    entry.filler = filler;
  }
  keep(hash, entry);
  return Verdict::valid;
}

void Simplex::keep(const Hash& hash, TreeEntry& entry) {
  if (entry.durable) return;
  entry.durable = true;
  ports_.store->write({ports::put_block(hash, entry.block)}, ports::Durability::buffered);
}

// The highest certified view below the current one from which all views between are nullified.
std::optional<View> Simplex::choose_parent() {
  if (planted(Fault::skip_nullifications)) return floor_.view;
  for (View view(current_.value - 1); view > floor_.view; view = View(view.value - 1)) {
    if (certified_.contains(view)) return view;
    if (table_.has(view, VoteKind::finalize)) return std::nullopt;  // its blocks are on their way
    if (!table_.has(view, VoteKind::nullify)) {
      fetcher_.want(WantedCertificate{view, VoteKind::nullify}, {});
      return std::nullopt;
    }
  }
  return floor_.view;
}

void Simplex::try_lead() {
  if (!self_ || leaders_.leader(current_) != *self_ || halted_) return;
  const OwnVotes::Signed& own = own_.in(current_);
  if (own.notarized || own.nullified || !pacemaker_.expected()) return;
  if (now_.instant < pacemaker_.proposal_from()) {
    wake_at(pacemaker_.proposal_from());
    return;
  }
  const auto parent_view = choose_parent();
  if (!parent_view) return;
  const Hash parent = *parent_view == floor_.view ? floor_.hash : certified_.at(*parent_view);
  const Header* header = header_of(parent);
  TALLY_ASSERT(header != nullptr);
  const TimestampMs time(std::max(now_.wall.value, time_of(*header).value + 1));
  const std::uint64_t ahead = time.value - now_.wall.value;
  if (ahead > parameters_.max_drift.value / 2) {
    wake_at(now_.instant + DurationMs(ahead - parameters_.max_drift.value / 2));
    return;
  }
  // Asked before the block is built: a node that may not sign must not execute for nothing.
  if (!may_ask({setup_.epoch, VoteKind::notarize, current_, Hash{}})) return;
  if (auto block = build(current_, *header, parent, time)) lead_with(*std::move(block));
}

void Simplex::lead_with(Block block) {
  const Hash hash = block_hash(block.header);
  TALLY_ASSERT(tree_.insert(hash, std::move(block)));
  TreeEntry& entry = *tree_.find(hash);
  entry.state = BlockState::executed;
  const Header* parent = header_of(entry.block.header.parent_hash);
  entry.filler = parent->number.value == setup_.end;
  keep(hash, entry);
  proposals_[current_] = {hash, false};
  pacemaker_.proposal_seen();
  if (sign({setup_.epoch, VoteKind::notarize, current_, hash})) {
    broadcast(make_proposal(current_, hash, own_signed_[current_].back()));
  }
}

std::optional<Block> Simplex::build(View view, const Header& parent, const Hash& parent_hash,
                                    TimestampMs time) {
  const auto proof = ports_.signer->try_prove(vrf_alpha(setup_, view));
  if (!proof) return std::nullopt;
  const ConsensusDigest digest{setup_.epoch, view, time, *proof};
  if (parent.number.value == setup_.end) return Block{make_filler(parent, digest), {}};
  const bool last = parent.number.value.next() == setup_.end;
  return ports_.application->build({parent_hash, digest, setup_.set.at(*self_).account, last});
}

Proposal Simplex::make_proposal(View view, const Hash& hash, const Vote& notarize) {
  Proposal proposal;
  const TreeEntry* entry = body(hash);
  TALLY_ASSERT(entry != nullptr);
  proposal.block = entry->block;
  proposal.notarize = notarize;
  View parent_view = floor_.view;
  if (const TreeEntry* parent = tree_.find(entry->block.header.parent_hash)) {
    parent_view = parent->digest.view;
    if (const Certificate* held = table_.find(parent_view, VoteKind::notarize)) {
      proposal.parent = *held;
    }
  }
  std::vector<Nullification> nullifications;
  for (View at(view.value - 1); at > parent_view; at = View(at.value - 1)) {
    if (nullifications.size() == kMaxJustification) break;
    if (const Certificate* held = table_.find(at, VoteKind::nullify))
      nullifications.push_back(*held);
  }
  proposal.nullifications = *decltype(proposal.nullifications)::from(std::move(nullifications));
  return proposal;
}

}  // namespace tally::consensus
