#include "node/consensus/view_table.hpp"

#include <algorithm>
#include <iterator>

#include "node/consensus/planted.hpp"

namespace tally::consensus {
namespace {

std::size_t slot_of(VoteKind kind) {
  return static_cast<std::size_t>(kind);
}

bool excludes(const Statement& a, const Statement& b) {
  if (planted(Fault::accuse_legal_pair)) {
    const bool pair = (a.kind == VoteKind::notarize && b.kind == VoteKind::nullify) ||
                      (a.kind == VoteKind::nullify && b.kind == VoteKind::notarize);
    if (pair && a.view == b.view) return true;
  }
  return conflict(a, b);
}

}  // namespace

bool ViewTable::wants(const Vote& vote) const {
  const Statement& statement = vote.statement;
  if (contradicts(vote)) return true;
  const auto record = views_.find(statement.view);
  if (record == views_.end()) return true;
  if (record->second.certificates[slot_of(statement.kind)]) return false;
  const Slot* held = slot(statement.view, vote.signer);
  return held == nullptr || !held->votes[slot_of(statement.kind)];
}

const ViewTable::Slot* ViewTable::slot(View view, ValidatorIndex signer) const {
  const Slots* slots = nullptr;
  if (const auto record = views_.find(view); record != views_.end()) {
    slots = &record->second.slots;
  } else if (const auto past = past_.find(view); past != past_.end()) {
    slots = &past->second;
  }
  if (slots == nullptr) return nullptr;
  const auto found = slots->find(signer);
  return found == slots->end() ? nullptr : &found->second;
}

bool ViewTable::contradicts(const Vote& vote) const {
  const Slot* held = slot(vote.statement.view, vote.signer);
  if (held == nullptr || held->convicted) return false;
  return std::any_of(std::begin(held->votes), std::end(held->votes), [&](const auto& one) {
    return one && excludes(one->statement, vote.statement);
  });
}

std::optional<Evidence> ViewTable::convict(const Vote& vote) {
  if (!contradicts(vote)) return std::nullopt;
  const auto record = views_.find(vote.statement.view);
  Slots& slots = record != views_.end() ? record->second.slots : past_.at(vote.statement.view);
  return convict(slots.at(vote.signer), vote);
}

std::optional<Evidence> ViewTable::convict(Slot& slot, const Vote& vote) {
  for (const auto& held : slot.votes) {
    if (!held || slot.convicted || !excludes(held->statement, vote.statement)) continue;
    slot.convicted = true;
    return Evidence{*held, vote};
  }
  return std::nullopt;
}

std::vector<Evidence> ViewTable::absorb(const Certificate& certificate) {
  std::vector<Evidence> out;
  Slots& slots = views_[certificate.statement.view].slots;
  const auto signers = signers_of(certificate, set_->size());
  for (std::size_t i = 0; i < signers.size(); ++i) {
    const Vote vote{certificate.statement, signers[i], certificate.signatures[i]};
    Slot& slot = slots[vote.signer];
    if (auto evidence = convict(slot, vote)) out.push_back(*std::move(evidence));
    auto& own = slot.votes[slot_of(vote.statement.kind)];
    if (!own) own = vote;
  }
  return out;
}

TallyResult ViewTable::add(const Vote& vote) {
  TallyResult result;
  const Statement& statement = vote.statement;
  TALLY_ASSERT(set_->contains(vote.signer));
  Record& record = views_[statement.view];
  Slot& slot = record.slots[vote.signer];
  result.evidence = convict(slot, vote);
  auto& own = slot.votes[slot_of(statement.kind)];
  if (own) return result;
  own = vote;
  result.added = true;
  result.made = try_make(record, statement);
  return result;
}

std::optional<Certificate> ViewTable::try_make(const Record& record,
                                               const Statement& statement) const {
  if (record.certificates[slot_of(statement.kind)]) return std::nullopt;
  std::uint64_t weight = 0;
  std::vector<Vote> votes;
  for (const auto& [signer, slot] : record.slots) {
    const auto& vote = slot.votes[slot_of(statement.kind)];
    if (!vote || vote->statement != statement) continue;
    weight += set_->at(signer).weight;
    votes.push_back(*vote);
  }
  if (weight < set_->quorum()) return std::nullopt;
  return make_certificate(votes, *set_);
}

const Certificate* ViewTable::find(View view, VoteKind kind) const {
  const auto record = views_.find(view);
  if (record == views_.end()) return nullptr;
  const auto& certificate = record->second.certificates[slot_of(kind)];
  return certificate ? &*certificate : nullptr;
}

bool ViewTable::insert(const Certificate& certificate) {
  auto& held = views_[certificate.statement.view].certificates[slot_of(certificate.statement.kind)];
  if (held) return false;
  held = certificate;
  return true;
}

std::optional<CertificateConflict> ViewTable::conflict_with(const Certificate& certificate) const {
  const Statement& statement = certificate.statement;
  for (const VoteKind kind : {VoteKind::notarize, VoteKind::nullify, VoteKind::finalize}) {
    const Certificate* held = find(statement.view, kind);
    if (held == nullptr) continue;
    const bool both_name_blocks = kind != VoteKind::nullify && statement.kind != VoteKind::nullify;
    const bool nullified_and_final =
        (kind == VoteKind::nullify && statement.kind == VoteKind::finalize) ||
        (kind == VoteKind::finalize && statement.kind == VoteKind::nullify);
    if ((both_name_blocks && held->statement.hash != statement.hash) || nullified_and_final) {
      return CertificateConflict{*held, certificate};
    }
  }
  return std::nullopt;
}

std::optional<Vote> ViewTable::vote_of(View view, VoteKind kind, ValidatorIndex signer) const {
  const auto record = views_.find(view);
  if (record == views_.end()) return std::nullopt;
  const auto slot = record->second.slots.find(signer);
  if (slot == record->second.slots.end()) return std::nullopt;
  return slot->second.votes[slot_of(kind)];
}

std::vector<Vote> ViewTable::newest_of(ValidatorIndex signer, std::size_t max) const {
  std::vector<Vote> out;
  for (auto it = views_.rbegin(); it != views_.rend() && out.size() < max; ++it) {
    const auto slot = it->second.slots.find(signer);
    if (slot == it->second.slots.end()) continue;
    for (const auto& vote : slot->second.votes) {
      if (vote) out.push_back(*vote);
    }
  }
  return out;
}

void ViewTable::prune(View floor) {
  const auto end = views_.upper_bound(floor);
  for (auto it = views_.begin(); it != end; ++it) keep_past(it->first, std::move(it->second.slots));
  views_.erase(views_.begin(), end);
}

void ViewTable::keep_past(View view, Slots slots) {
  const auto count = [](const Slots& of) {
    std::size_t votes = 0;
    for (const auto& [signer, slot] : of) {
      for (const auto& vote : slot.votes) votes += vote ? 1 : 0;
    }
    return votes;
  };
  if (slots.empty()) return;
  past_votes_ += count(slots);
  past_[view] = std::move(slots);
  while (past_votes_ > kPastVotes) {
    past_votes_ -= count(past_.begin()->second);
    past_.erase(past_.begin());
  }
}

std::vector<View> ViewTable::views_with(VoteKind kind, View from) const {
  std::vector<View> out;
  for (auto it = views_.upper_bound(from); it != views_.end(); ++it) {
    if (it->second.certificates[slot_of(kind)]) out.push_back(it->first);
  }
  return out;
}

std::optional<View> ViewTable::highest(VoteKind kind) const {
  for (auto it = views_.rbegin(); it != views_.rend(); ++it) {
    if (it->second.certificates[slot_of(kind)]) return it->first;
  }
  return std::nullopt;
}

std::vector<Certificate> ViewTable::certificates() const {
  std::vector<Certificate> out;
  for (const auto& [view, record] : views_) {
    for (const auto& certificate : record.certificates) {
      if (certificate) out.push_back(*certificate);
    }
  }
  return out;
}

}  // namespace tally::consensus
