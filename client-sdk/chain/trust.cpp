#include "client-sdk/chain/trust.hpp"

#include <algorithm>
#include <string>

namespace tally::client {

namespace {

constexpr Epoch kFirstEpoch{1};
constexpr Epoch kGenesisKnows{2};  // genesis names the sets of epochs 1 and 2

struct SavedTrust {
  Hash genesis_hash;
  Hash start;
  TimestampMs newest;
  Epoch known_up_to;
  std::vector<SetSince> sets;
};
TALLY_DESCRIBE(SavedTrust, genesis_hash, start, newest, known_up_to, sets);

const char* explain(ProofError error) {
  switch (error) {
    case ProofError::bad_certificate:
      return "its certificate is not one of two thirds of the validators of its epoch";
    case ProofError::not_a_finalization:
      return "its certificate is of other votes than votes to finalize";
    case ProofError::missing_digest:
      return "a header in it has no consensus digest";
    case ProofError::wrong_epoch:
      return "a header in it is of another epoch";
    case ProofError::broken_chain:
      return "its certificate is of another block, or its headers are no chain";
    case ProofError::bad_view:
      return "the views in it do not rise, or are not the certificate's";
    case ProofError::bad_height:
      return "the heights in it do not rise by one, or are not those of the epoch";
    case ProofError::not_a_filler:
      return "what stands above the end of the epoch is no filler of it";
    case ProofError::not_epoch_end:
      return "it is not of the last block of the epoch";
    case ProofError::bad_next_set:
      return "its block does not name the validators of the epoch after the next";
  }
  return "";
}

Failure<Error> not_proved(const Header& header, ProofError error) {
  return fail_with("the proof that block " + std::to_string(header.number.value.value) +
                   " is final does not hold (" + std::string(enumerator_name(error)) +
                   "): " + explain(error) +
                   "; the node is faulty, lying or serves another chain: ask another node");
}

}  // namespace

Trust::Trust(TrustRoot root)
    : root_(std::move(root)),
      start_(root_.genesis_hash),
      newest_(root_.genesis_time),
      sets_{{kFirstEpoch, root_.validators}},
      known_up_to_(kGenesisKnows) {}

void Trust::begin_at(Start start) {
  TALLY_ASSERT(start.set.check().ok() && start.next.check().ok());
  start_ = start.block;
  newest_ = start.time;
  known_up_to_ = start.epoch.next();
  sets_ = {{start.epoch, std::move(start.set)}};
  if (!(sets_.back().set == start.next)) sets_.push_back({known_up_to_, std::move(start.next)});
}

const ValidatorSet* Trust::set_of(Epoch epoch) const {
  if (epoch < kFirstEpoch || known_up_to_ < epoch) return nullptr;
  const SetSince* found = nullptr;
  for (const SetSince& entry : sets_) {
    if (entry.epoch <= epoch) found = &entry;
  }
  return found == nullptr ? nullptr : &found->set;
}

// The sets of the last two epochs stay, whatever their size: the next step needs one of them.
void Trust::forget_oldest() {
  std::size_t members = 0;
  for (const SetSince& entry : sets_) members += entry.set.size();
  while (members > root_.members_kept && sets_.size() > 1 &&
         sets_[1].epoch.next() <= known_up_to_) {
    members -= sets_.front().set.size();
    sets_.erase(sets_.begin());
  }
}

BlockNumber Trust::reached() const {
  const std::uint64_t ended = known_up_to_.value - kGenesisKnows.value;
  return BlockNumber(static_cast<std::uint32_t>(ended * root_.epoch_blocks));
}

std::optional<BlockNumber> Trust::wanted_for(Epoch epoch) const {
  if (epoch <= known_up_to_) return std::nullopt;
  const std::uint64_t end = (known_up_to_.value - 1) * root_.epoch_blocks;
  return BlockNumber(static_cast<std::uint32_t>(end));
}

Result<Trust::Step, Error> Trust::learn(const FinalityProof& proof) {
  const Epoch epoch(known_up_to_.value - 1);
  const BlockNumber end(static_cast<std::uint32_t>(epoch.value * root_.epoch_blocks));
  auto set = verify_epoch_proof(proof, {root_.genesis_hash, epoch, set_of(epoch)}, end);
  if (!set.ok()) return not_proved(proof.header, set.error());
  known_up_to_ = known_up_to_.next();
  const Step step{epoch, set->size(), !(sets_.back().set == *set)};
  if (step.set_changed) sets_.push_back({known_up_to_, *std::move(set)});
  forget_oldest();
  return step;
}

Result<void, Error> Trust::verify(const FinalityProof& proof) const {
  const auto epoch = epoch_of(proof.header);
  if (!epoch) return not_proved(proof.header, ProofError::missing_digest);
  const ValidatorSet* set = set_of(*epoch);
  if (set == nullptr) {
    return fail_with("the validators of epoch " + std::to_string(epoch->value) +
                     " are not known; known are those of epochs " +
                     std::to_string(sets_.front().epoch.value) + " to " +
                     std::to_string(known_up_to_.value));
  }
  // Who served long ago could sign a block of any height for that epoch.
  const std::uint64_t number = proof.header.number.value.value;
  if (number == 0 || (number - 1) / root_.epoch_blocks + 1 != epoch->value) {
    return not_proved(proof.header, ProofError::bad_height);
  }
  // The last block of an epoch names a set; a filler has its number, and is no block of the chain.
  if (number % root_.epoch_blocks == 0 && !has_set_item(proof.header)) {
    return not_proved(proof.header, ProofError::bad_next_set);
  }
  const auto verified = tally::verify(proof, {root_.genesis_hash, *epoch, set});
  if (!verified.ok()) return not_proved(proof.header, verified.error());
  return {};
}

Result<void, Error> Trust::verify_age(TimestampMs now) const {
  constexpr std::uint64_t kHour = 3'600'000;
  if (!root_.trust_period || now.value <= newest_.value + root_.trust_period->value) return {};
  return fail_with("what is known here of the validators is " +
                   std::to_string((now.value - newest_.value) / kHour) +
                   " hours old, and they are believed for " +
                   std::to_string(root_.trust_period->value / kHour) +
                   " hours only, since they may have taken their bonds back: ask somebody whom "
                   "you trust for the number and hash of a recent final block (`tally chain "
                   "block NUMBER` shows it) and begin there, with --trust-block NUMBER:HASH or "
                   "trust_block in a configuration; if this machine's clock is wrong, set it");
}

void Trust::seen(const Header& header, TimestampMs now) {
  const auto digest = consensus_digest(header);
  if (header.number.value < reached()) return;
  if (digest) newest_ = std::max(newest_, std::min(digest->time, now));
}

Bytes Trust::save() const {
  return encode(SavedTrust{root_.genesis_hash, start_, newest_, known_up_to_, sets_});
}

bool Trust::restore(ByteView saved) {
  auto state = decode<SavedTrust>(saved);
  if (!state.ok() || state->genesis_hash != root_.genesis_hash || state->sets.empty() ||
      state->sets.front().epoch < kFirstEpoch || state->known_up_to < known_up_to_ ||
      state->known_up_to < state->sets.back().epoch) {
    return false;
  }
  for (std::size_t i = 0; i < state->sets.size(); ++i) {
    if (!state->sets[i].set.check().ok()) return false;
    if (i > 0 && state->sets[i].epoch <= state->sets[i - 1].epoch) return false;
  }
  start_ = state->start;
  newest_ = state->newest;
  sets_ = std::move(state->sets);
  known_up_to_ = state->known_up_to;
  forget_oldest();
  return true;
}

std::optional<Epoch> epoch_of(const Header& header) {
  const auto digest = consensus_digest(header);
  if (!digest) return std::nullopt;
  return digest->epoch;
}

}  // namespace tally::client
