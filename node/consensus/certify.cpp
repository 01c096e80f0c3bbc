// Certifying notarized blocks and committing final ones. See simplex.hpp for the rules.
#include <algorithm>

#include "node/consensus/coverage.hpp"
#include "node/consensus/planted.hpp"
#include "node/consensus/simplex.hpp"
#include "node/ports/chain.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::consensus {

void Simplex::wake_at(Instant at) {
  if (!wake_ || at < *wake_) wake_ = at;
}

TreeEntry* Simplex::body(const Hash& hash) {
  if (TreeEntry* entry = tree_.find(hash)) return entry;
  // What is already asked of peers is not in the Store.
  if (fetcher_.wants(hash)) return nullptr;
  auto block = ports::find_block(*ports_.store, hash);
  if (!block) return nullptr;
  const auto digest = consensus_digest(block->header);
  if (!digest || digest->epoch != setup_.epoch || digest->view <= floor_.view) return nullptr;
  tree_.insert(hash, *std::move(block));
  TreeEntry* entry = tree_.find(hash);
  entry->durable = true;
  return entry;
}

const Header* Simplex::header_of(const Hash& hash) {
  if (hash == floor_.hash) return &floor_.header;
  const TreeEntry* entry = body(hash);
  return entry == nullptr ? nullptr : &entry->block.header;
}

// `view` is one whose leader or voters are known to have it.
void Simplex::want_block(const Hash& hash, View view) {
  std::vector<PeerId> preferred = peers_.of(leaders_.leader(view));
  for (const VoteKind kind : {VoteKind::notarize, VoteKind::finalize}) {
    const Certificate* held = table_.find(view, kind);
    if (held == nullptr) continue;
    for (const ValidatorIndex signer : signers_of(*held, setup_.set.size())) {
      for (const PeerId& peer : peers_.of(signer)) preferred.push_back(peer);
    }
  }
  fetcher_.want(hash, std::move(preferred));
}

bool Simplex::try_certify() {
  bool changed = false;
  for (const View view : table_.views_with(VoteKind::notarize, floor_.view)) {
    if (certified_.contains(view)) continue;
    changed |= certify(view, table_.find(view, VoteKind::notarize)->statement.hash);
    if (halted_) return true;
  }
  return changed;
}

// Goes on after our own Nullify and after a Nullification: others may build on this block.
bool Simplex::certify(View view, const Hash& hash) {
  if (planted(Fault::stop_certifying) && own_.in(view).nullified) return false;
  const auto shown = proposals_.find(view);
  const bool another = shown != proposals_.end() && shown->second.hash != hash;
  if (planted(Fault::first_block_only) && another) return false;
  TreeEntry* entry = body(hash);
  if (entry == nullptr) {
    want_block(hash, view);
    return false;
  }
  if (entry->state == BlockState::invalid) return false;
  const Hash parent = entry->block.header.parent_hash;
  if (parent != floor_.hash) {
    const TreeEntry* below = body(parent);
    if (below == nullptr) {
      if (contradicts_floor(entry->block.header)) {
        violation("a notarized block that leaves out the newest final one",
                  *table_.find(view, VoteKind::notarize),
                  floor_.finalization.value_or(*table_.find(view, VoteKind::notarize)));
        return false;
      }
      want_block(parent, view);
      return false;
    }
    if (!below->certified) {
      const View below_view = below->digest.view;
      if (!table_.has(below_view, VoteKind::notarize)) {
        fetcher_.want(WantedCertificate{below_view, VoteKind::notarize},
                      peers_.of(leaders_.leader(view)));
      }
      return false;
    }
  }
  if (entry->digest.view != view || check_on_parent(hash, *entry) == Verdict::invalid) {
    entry->state = BlockState::invalid;
    actions_.alarms.push_back("a notarized block is invalid here: " + to_hex(hash));
    if (view == current_) nullify();
    return true;
  }
  entry->certified = true;
  certified_[view] = hash;
  if (planted(Fault::start_view_twice) && view < current_) {
    pacemaker_.enter(current_, floor_.view, now_.instant);
  }
  const OwnVotes::Signed& own = own_.in(view);
  if (own.nullified) mark(Mark::certified_after_own_nullify);
  if (own.notarized && *own.notarized != hash) mark(Mark::notarized_other_block);
  // A Finalize may come late: sign() refuses it where Nullify was sent.
  if (!leader_equivocated_.contains(view) && sign({setup_.epoch, VoteKind::finalize, view, hash})) {
    broadcast(VoteMessage{own_signed_[view].back()});
    if (view < current_) mark(Mark::finalized_late);
  }
  return true;
}

// A block above the floor's view whose parent is neither above the floor nor the floor itself.
bool Simplex::contradicts_floor(const Header& header) const {
  const BlockNumber number = header.number.value;
  const BlockNumber final_number = floor_.header.number.value;
  if (number <= final_number) return true;
  return number == final_number.next() && !looks_like_filler(header) &&
         header.parent_hash != floor_.hash;
}

bool Simplex::try_commit() {
  auto views = table_.views_with(VoteKind::finalize, floor_.view);
  for (auto view = views.rbegin(); view != views.rend(); ++view) {
    const Finalization finalization = *table_.find(*view, VoteKind::finalize);
    if (commit_to(finalization)) return true;
    if (halted_) return true;
  }
  return false;
}

bool Simplex::looks_like_filler(const Header& header) const {
  return header.number.value == setup_.end && !has_set_item(header);
}

// A final filler leads straight to the epoch's last block, whatever stands between them.
bool Simplex::commit_to(const Finalization& finalization) {
  if (finalization.statement.hash == floor_.hash) {  // of a later view than the block's
    violation("a Finalization of the newest final block in another view", finalization,
              floor_.finalization.value_or(finalization));
    return false;
  }
  std::vector<Hash> chain;
  for (Hash hash = finalization.statement.hash; hash != floor_.hash;) {
    const TreeEntry* entry = body(hash);
    if (entry == nullptr) {
      if (!chain.empty() && contradicts_floor(body(chain.back())->block.header)) {
        violation("a final block that leaves out the newest final one", finalization,
                  floor_.finalization.value_or(finalization));
        return false;
      }
      // Further behind, block sync brings the blocks in height order instead.
      if (tree_.size() < kMaxTreeBlocks) want_block(hash, finalization.statement.view);
      return false;
    }
    chain.push_back(hash);
    const Header& header = entry->block.header;
    hash = looks_like_filler(header) ? header.extrinsics_root : header.parent_hash;
  }
  std::reverse(chain.begin(), chain.end());
  for (const Hash& hash : chain) {
    TreeEntry& entry = *body(hash);
    if (looks_like_filler(entry.block.header) && hash != chain.front()) {
      entry.filler = is_filler_of(entry.block.header, body(chain[chain.size() - 2])->block.header);
      if (entry.filler) continue;
    }
    if (check_on_parent(hash, entry) == Verdict::valid) continue;
    halted_ = true;
    actions_.violation =
        SafetyViolation{"a final block is invalid here: " + to_hex(hash), finalization, {}};
    return false;
  }
  land(chain, finalization);
  return true;
}

void Simplex::land(const std::vector<Hash>& chain, const Finalization& finalization) {
  std::size_t last = chain.size() - 1;  // of those that are committed: no filler
  if (tree_.find(chain[last])->filler) {
    last -= 1;
    mark(Mark::filler_stops_commit);
  }
  ports::WriteBatch batch;
  std::vector<ports::FinalBlock> blocks;
  for (std::size_t i = 0; i <= last; ++i) {
    const TreeEntry& entry = *tree_.find(chain[i]);
    const Header& header = entry.block.header;
    blocks.push_back({chain[i], std::nullopt});
    if (!entry.durable) batch.push_back(ports::put_block(chain[i], entry.block));
    batch.push_back(ports::put_height(header.number.value, chain[i]));
    Finalized done{chain[i], header, {}};
    for (const Bytes& extrinsic : entry.block.extrinsics) {
      done.extrinsics.push_back(blake2_256(extrinsic));
    }
    actions_.finalized.push_back(std::move(done));
  }
  if (last + 1 < chain.size() && planted(Fault::commit_filler)) {
    actions_.finalized.push_back({chain.back(), tree_.find(chain.back())->block.header, {}});
  }
  if (last + 1 == chain.size()) {
    blocks.back().finalization = finalization;
    batch.push_back(ports::put_certificate(chain[last], finalization));
  }
  const Header header = tree_.find(chain[last])->block.header;
  batch.push_back(ports::put_head({chain[last], header.number.value}));
  if (header.number.value == setup_.end) finish_epoch(chain, last, finalization, batch);
  for (const Hash& hash : tree_.below_or_at(finalization.statement.view)) {
    const bool committed =
        std::find(chain.begin(), chain.begin() + last + 1, hash) != chain.begin() + last + 1;
    if (!committed && tree_.find(hash)->durable) batch.push_back(ports::erase_block(hash));
  }
  ports_.application->commit(blocks, std::move(batch));

  floor_ = {chain[last], finalization.statement.view, header, finalization};
  table_.prune(floor_.view);
  tree_.prune(floor_.view);
  own_.prune(own_floor());
  pacemaker_.floor_moved(floor_.view);
  proposals_.erase(proposals_.begin(), proposals_.upper_bound(floor_.view));
  certified_.erase(certified_.begin(), certified_.upper_bound(floor_.view));
  own_signed_.erase(own_signed_.begin(), own_signed_.upper_bound(floor_.view));
  std::erase_if(refused_, [&](const auto& one) { return one.first <= floor_.view; });
  leader_equivocated_.erase(leader_equivocated_.begin(),
                            leader_equivocated_.upper_bound(floor_.view));
}

void Simplex::finish_epoch(const std::vector<Hash>& chain, std::size_t last,
                           const Finalization& finalization, ports::WriteBatch& batch) {
  EpochProof proof;
  proof.header = tree_.find(chain[last])->block.header;
  for (std::size_t i = last + 1; i < chain.size(); ++i) {  // one filler at most
    TALLY_ASSERT(proof.descendants.push_back(tree_.find(chain[i])->block.header));
  }
  proof.finalization = finalization;
  batch.push_back(ports::put_epoch_proof(setup_.epoch, proof));
  batch.push_back(
      ports::put_epoch_beacon(setup_.epoch.next(), ports_.application->beacon(chain[last])));
  actions_.epoch_over = std::move(proof);
  over_ = true;
}

}  // namespace tally::consensus
