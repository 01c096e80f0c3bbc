#include "node/consensus/view_table.hpp"

namespace tally::consensus {
namespace {

std::size_t slot_of(VoteKind kind) {
  return static_cast<std::size_t>(kind);
}

}  // namespace

bool ViewTable::wants(const Vote& vote) const {
  const Statement& statement = vote.statement;
  const auto record = views_.find(statement.view);
  if (record == views_.end()) return true;
  if (record->second.certificates[slot_of(statement.kind)]) return false;
  const auto slot = record->second.slots.find(vote.signer);
  if (slot == record->second.slots.end()) return true;
  const auto& held = slot->second.votes[slot_of(statement.kind)];
  if (!held) return true;
  return held->statement != statement && !slot->second.convicted;
}

TallyResult ViewTable::add(const Vote& vote) {
  TallyResult result;
  const Statement& statement = vote.statement;
  TALLY_ASSERT(set_->contains(vote.signer));
  Record& record = views_[statement.view];
  Slot& slot = record.slots[vote.signer];
  for (const auto& held : slot.votes) {
    if (held && conflict(held->statement, statement) && !slot.convicted) {
      slot.convicted = true;
      result.evidence = Evidence{*held, vote};
    }
  }
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

void ViewTable::prune(View floor) {
  views_.erase(views_.begin(), views_.upper_bound(floor));
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
