#include "node/execution/application.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "modules/system/storage.hpp"
#include "modules/validators/api.hpp"
#include "node/ports/chain.hpp"
#include "primitives/assert.hpp"
#include "runtime/validity.hpp"
#include "runtime/version.hpp"

namespace tally::execution {
namespace {

std::string name_of(const Hash& hash) {
  return std::string(as_text(hash));
}

std::string refusal(std::size_t index, runtime::InvalidTransaction reason) {
  return "extrinsic " + std::to_string(index) +
         " is invalid: " + std::string(enumerator_name(reason));
}

Failure<std::string> wrong_root(const char* which, const Hash& stated, const Hash& found) {
  return fail("the header states the " + std::string(which) + " " + to_hex_prefixed(stated) +
              ", execution gives " + to_hex_prefixed(found));
}

constexpr std::uint64_t kNoBound = std::numeric_limits<std::uint64_t>::max();
constexpr ports::BlockRoom kAllRoom{.weight = Weight(kNoBound), .bytes = kNoBound};

struct Selection {
  std::vector<const runtime::CheckedTransaction*> candidates;
  runtime::Proposal proposal;
};

// Whether the candidates filled the block and most of it stayed empty: transactions that were
// refused had taken the room of others.
bool crowded_out(const Selection& selection, const ports::BlockRoom& room) {
  std::uint64_t weight = 0;
  std::uint64_t bytes = 0;
  for (const auto* one : selection.candidates) {
    weight += one->tx().properties.weight.value;
    bytes += one->tx().bytes.size();
  }
  const bool all = weight <= room.weight.value && bytes <= room.bytes;
  std::uint64_t chosen_bytes = 0;
  for (const std::size_t chosen : selection.proposal.chosen) {
    chosen_bytes += selection.candidates[chosen]->tx().bytes.size();
  }
  return !all && selection.proposal.outcome.weight.value < room.weight.value / 2 &&
         chosen_bytes < room.bytes / 2;
}

}  // namespace

Digest make_digest(const ConsensusDigest& consensus, const std::optional<ValidatorSet>& named_set) {
  Digest digest{make_consensus_digest(consensus)};
  if (named_set) digest.push_back(make_set_item(*named_set));
  return digest;
}

ChainApplication::ChainApplication(const Parts& parts, const Options& options)
    : parts_(parts), options_(options) {}

std::optional<ChainState> ChainApplication::state_after(const Hash& block) const {
  std::vector<const Pending*> chain;
  Hash at = block;
  while (at != parts_.final_state.head().hash) {
    const auto it = pending_.find(name_of(at));
    if (it == pending_.end()) return std::nullopt;
    chain.push_back(it->second.get());
    at = it->second->block().header.parent_hash;
  }
  std::reverse(chain.begin(), chain.end());
  return ChainState(parts_.final_state, std::move(chain));
}

ChainState ChainApplication::chain_state(const Hash& block) const {
  auto state = state_after(block);
  TALLY_ASSERT(state.has_value());  // consensus asks only about what was executed here
  return *std::move(state);
}

tree::Update ChainApplication::update_tree(const ChainState& state, BlockNumber height,
                                           const StateChanges& changes) const {
  const auto hashed = tree::changes_of(changes, options_.executor);
  auto update = tree::update(state, state.root(), height, hashed, options_.executor);
  TALLY_ASSERT(update.ok());  // a node of a kept version is not there: the database is damaged
  return *std::move(update);
}

Block ChainApplication::build(const ports::BuildRequest& request) {
  const ChainState state = chain_state(request.parent);
  const system::Parent parent{state, request.parent};
  const BlockNumber number = state.number().next();
  const auto config = system::kConfig.find(state);
  TALLY_ASSERT(config.has_value());
  const ports::BlockRoom room{.weight = config->block_weight, .bytes = config->block_bytes_max};
  const auto propose = [&](const ports::BlockRoom& of) {
    auto candidates = parts_.pool.select(parent, of);
    auto proposal = runtime::propose_block(state,
                                           {.parent_hash = request.parent,
                                            .number = number,
                                            .consensus = request.digest,
                                            .proposer = request.proposer},
                                           candidates, options_.invariants);
    // Consensus checked the height, the epoch and the time before it asked.
    TALLY_ASSERT(proposal.ok());
    return Selection{std::move(candidates), *std::move(proposal)};
  };
  Selection selection = propose(room);
  // Then from all that waits. What was chosen is executed twice: less than half a block.
  if (crowded_out(selection, room)) selection = propose(kAllRoom);
  auto& [candidates, proposal] = selection;
  TALLY_ASSERT(proposal.outcome.named_set.has_value() == request.last_of_epoch);

  PendingBlock pending;
  Block block;
  for (const std::size_t chosen : proposal.chosen) {
    block.extrinsics.push_back(candidates[chosen]->tx().bytes);
    pending.extrinsics.push_back(candidates[chosen]->tx().hash);
  }
  std::vector<std::pair<Hash, runtime::InvalidTransaction>> refused;
  for (const auto& one : proposal.refused) {
    const bool later = one.reason == runtime::InvalidTransaction::exhausts_resources ||
                       one.reason == runtime::InvalidTransaction::future;
    if (!later) refused.emplace_back(candidates[one.candidate]->tx().hash, one.reason);
  }
  pending.update = update_tree(state, number, proposal.outcome.changes);
  block.header = {.parent_hash = request.parent,
                  .number = {number},
                  .state_root = pending.update.root.hash(),
                  .extrinsics_root = proposal.outcome.extrinsics_root,
                  .digest = make_digest(request.digest, proposal.outcome.named_set)};
  pending.hash = block_hash(block.header);
  pending.header = block.header;
  pending.changes = std::move(proposal.outcome.changes);
  pending.events = std::move(proposal.outcome.events);
  pending.body = block;
  pending_[name_of(pending.hash)] = std::make_unique<Pending>(std::move(pending));
  for (const auto& [hash, reason] : refused) parts_.pool.on_refused(hash, reason);
  return block;
}

ports::Execution ChainApplication::execute(const Hash& hash, const Block& block,
                                           const AccountId& proposer) {
  if (is_executed(hash)) return {.valid = true, .reason = {}};
  const auto result = execute_new(hash, block, proposer);
  if (!result.ok()) return {.valid = false, .reason = result.error()};
  return {.valid = true, .reason = {}};
}

Result<void, std::string> ChainApplication::execute_new(const Hash& hash, const Block& block,
                                                        const AccountId& proposer) {
  const Header& header = block.header;
  const ChainState state = chain_state(header.parent_hash);
  const auto consensus = consensus_digest(header);
  if (!consensus) return fail(std::string("the header has no consensus digest item"));
  const Checked checked = TALLY_TRY(check_transactions({state, header.parent_hash}, block));
  auto outcome = runtime::execute_block(state,
                                        {.parent_hash = header.parent_hash,
                                         .number = header.number.value,
                                         .consensus = *consensus,
                                         .proposer = proposer},
                                        checked.all, options_.invariants);
  if (!outcome.ok()) return fail(runtime::to_text(outcome.error()));
  if (header.extrinsics_root != outcome->extrinsics_root) {
    return wrong_root("extrinsics root", header.extrinsics_root, outcome->extrinsics_root);
  }
  if (header.digest != make_digest(*consensus, outcome->named_set)) {
    return fail(std::string("the header's digest is not the leader's item") +
                (outcome->named_set ? " and the set of the epoch after the next" : " alone"));
  }
  PendingBlock pending;
  pending.update = update_tree(state, header.number.value, outcome->changes);
  const Hash root = pending.update.root.hash();
  if (header.state_root != root) return wrong_root("state root", header.state_root, root);
  pending.hash = hash;
  pending.header = header;
  pending.changes = std::move(outcome->changes);
  pending.events = std::move(outcome->events);
  for (const auto* tx : checked.all) pending.extrinsics.push_back(tx->tx().hash);
  pending.body = block;
  pending_[name_of(hash)] = std::make_unique<Pending>(std::move(pending));
  return {};
}

Result<ChainApplication::Checked, std::string> ChainApplication::check_transactions(
    const system::Parent& parent, const Block& block) {
  const runtime::TransactionValidator validator(parent);
  Checked checked;
  checked.all.resize(block.extrinsics.size());
  std::vector<std::pair<std::size_t, runtime::Transaction>> unknown;
  for (std::size_t i = 0; i < block.extrinsics.size(); ++i) {
    if (const auto* known = find_checked(extrinsic_hash(block.extrinsics[i]))) {
      const auto additional = validator.additional(known->tx());
      if (!additional.ok()) return fail(refusal(i, additional.error()));
      if (*additional == known->additional()) {
        checked.all[i] = known;
        continue;
      }
    }
    auto tx = runtime::decode_transaction(block.extrinsics[i]);
    if (!tx.ok()) return fail(refusal(i, tx.error()));
    unknown.emplace_back(i, *std::move(tx));
  }
  TALLY_TRY(verify_missing(std::move(unknown), validator, checked));
  return checked;
}

Result<void, std::string> ChainApplication::verify_missing(
    std::vector<std::pair<std::size_t, runtime::Transaction>> unknown,
    const runtime::TransactionValidator& validator, Checked& checked) {
  std::vector<ports::SignatureJob> jobs;
  std::vector<std::pair<std::size_t, Hash>> asked;  // place in the block, signature id
  for (auto& [index, tx] : unknown) {
    const auto additional = validator.additional(tx);
    if (!additional.ok()) return fail(refusal(index, additional.error()));
    const Hash id = runtime::signature_id(tx, *additional);
    if (!parts_.pool.is_verified(id)) {
      jobs.push_back({tx.signer, runtime::payload_of(tx, *additional), tx.signature});
      asked.emplace_back(index, id);
    }
    checked.owned.push_back(std::make_unique<runtime::CheckedTransaction>(
        runtime::CheckedTransaction::already_verified(std::move(tx), *additional)));
    checked.all[index] = checked.owned.back().get();
  }
  const std::vector<bool> holds = parts_.verifier.check(jobs);
  TALLY_ASSERT(holds.size() == jobs.size());
  for (std::size_t i = 0; i < holds.size(); ++i) {
    if (!holds[i]) return fail(refusal(asked[i].first, runtime::InvalidTransaction::bad_proof));
    parts_.pool.remember_verified(asked[i].second);
  }
  return {};
}

const runtime::CheckedTransaction* ChainApplication::find_checked(const Hash& extrinsic) const {
  for (const auto& [id, one] : foreseen_) {
    const auto found = one.checked.find(name_of(extrinsic));
    if (found != one.checked.end()) return &found->second;
  }
  return parts_.pool.find_checked(extrinsic);
}

// What the signature covers in a block to come, as far as that is known before its parent is
// executed. Whether it does is for execute() to say, which compares.
std::optional<SignedAdditional> ChainApplication::foresee_additional(const runtime::Transaction& tx,
                                                                     BlockNumber in) const {
  const Era& era = tx.extra.era;
  const Hash genesis = system::genesis_hash(parts_.final_state.finalized());
  SignedAdditional out{runtime::kSpecVersion, runtime::kTransactionVersion, genesis, genesis};
  if (era.is_immortal()) return out;
  const BlockNumber birth = era.birth(in);
  std::optional<Hash> born = ports::find_final(parts_.store, birth);
  for (const auto& [id, one] : foreseen_) {
    const auto found = one.hashes.find(birth);
    if (found != one.hashes.end()) born = found->second;
  }
  if (!born) return std::nullopt;
  out.birth_block_hash = *born;
  return out;
}

std::vector<ports::SignatureJob> ChainApplication::foresee(std::uint64_t id,
                                                           const std::vector<Block>& blocks) {
  Foreseen& out = foreseen_[id];
  std::vector<ports::SignatureJob> jobs;
  for (const Block& block : blocks) {
    const BlockNumber number = block.header.number.value;
    if (number > BlockNumber(0)) {
      out.hashes.emplace(BlockNumber(number.value - 1), block.header.parent_hash);
    }
    for (const Bytes& extrinsic : block.extrinsics) {
      if (find_checked(extrinsic_hash(extrinsic)) != nullptr) continue;
      auto tx = runtime::decode_transaction(extrinsic);
      if (!tx.ok()) continue;
      const auto additional = foresee_additional(*tx, number);
      if (!additional) continue;
      jobs.push_back({tx->signer, runtime::payload_of(*tx, *additional), tx->signature});
      out.unchecked.push_back({*std::move(tx), *additional});
    }
  }
  return jobs;
}

void ChainApplication::foreseen(std::uint64_t id, const std::vector<bool>& holds) {
  const auto found = foreseen_.find(id);
  if (found == foreseen_.end()) return;
  auto unchecked = std::exchange(found->second.unchecked, {});
  TALLY_ASSERT(unchecked.size() == holds.size());
  for (std::size_t i = 0; i < holds.size(); ++i) {
    if (!holds[i]) continue;
    auto& [tx, additional] = unchecked[i];
    std::string name = name_of(tx.hash);
    found->second.checked.emplace(
        std::move(name), runtime::CheckedTransaction::already_verified(std::move(tx), additional));
  }
}

bool ChainApplication::is_executed(const Hash& hash) const {
  return hash == parts_.final_state.head().hash || pending_.contains(name_of(hash));
}

void ChainApplication::commit(const std::vector<ports::FinalBlock>& blocks,
                              ports::WriteBatch more) {
  if (blocks.empty()) {
    if (!more.empty()) parts_.store.write(std::move(more), ports::Durability::synced);
    return;
  }
  ports::WriteBatch batch;
  append_pruning(batch, parts_.store, options_.retention,
                 static_cast<std::uint32_t>(blocks.size()));
  std::vector<const Pending*> landed;
  for (const ports::FinalBlock& final_block : blocks) {
    const auto it = pending_.find(name_of(final_block.hash));
    TALLY_ASSERT(it != pending_.end());
    const PendingBlock& block = it->second->block();
    const ChainState before = chain_state(block.header.parent_hash);
    append_commit(batch, before,
                  {.height = block.number(),
                   .hash = block.hash,
                   .changes = &block.changes,
                   .update = &block.update,
                   .events = &block.events,
                   .extrinsics = &block.extrinsics});
    if (!parts_.store.get(ports::Column::blocks, block.hash)) {
      batch.push_back(ports::put_block(block.hash, *block.body));
    }
    batch.push_back(ports::put_height(block.number(), block.hash));
    if (final_block.finalization) {
      batch.push_back(ports::put_certificate(block.hash, *final_block.finalization));
    }
    landed.push_back(it->second.get());
  }
  const PendingBlock& last = landed.back()->block();
  batch.push_back(ports::put_head({last.hash, last.number()}));
  batch.insert(batch.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  parts_.store.write(std::move(batch), ports::Durability::synced);
  for (const Pending* pending : landed) {
    const PendingBlock& block = pending->block();
    parts_.final_state.apply({block.hash, block.number()}, block.changes, block.update);
  }
  forget_other_branches(last.hash);
}

void ChainApplication::reload() {
  pending_.clear();
  foreseen_.clear();
  parts_.final_state.reload();
}

void ChainApplication::forget_other_branches(const Hash& tip) {
  // What stands on the tip, found from each block downwards; heights at or below the tip's are
  // gone.
  std::vector<std::string> gone;
  for (const auto& entry : pending_) {
    if (!state_after(entry.second->block().hash))
      gone.push_back(entry.first);
    else if (entry.second->block().hash == tip)
      gone.push_back(entry.first);
  }
  for (const std::string& name : gone) pending_.erase(name);
}

bool ChainApplication::has_ready(const Hash& parent) const {
  const ChainState state = chain_state(parent);
  return parts_.pool.has_ready({state, parent});
}

bool ChainApplication::deadline_due(const Hash& parent, TimestampMs time) const {
  return runtime::deadline_due(chain_state(parent), time);
}

Hash ChainApplication::beacon(const Hash& block) const {
  return validators::beacon(chain_state(block));
}

const PendingBlock* ChainApplication::find_pending(const Hash& hash) const {
  const auto it = pending_.find(name_of(hash));
  return it == pending_.end() ? nullptr : &it->second->block();
}

std::optional<TxPlace> ChainApplication::find_on_branch(const Hash& tip,
                                                        const Hash& extrinsic) const {
  for (const PendingBlock* block = find_pending(tip); block != nullptr;
       block = find_pending(block->header.parent_hash)) {
    const auto& list = block->extrinsics;
    const auto it = std::find(list.begin(), list.end(), extrinsic);
    if (it == list.end()) continue;
    return TxPlace{block->number(), block->hash, static_cast<std::uint32_t>(it - list.begin())};
  }
  return std::nullopt;
}

}  // namespace tally::execution
