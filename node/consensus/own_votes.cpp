#include "node/consensus/own_votes.hpp"

#include "node/consensus/planted.hpp"
#include "primitives/assert.hpp"

namespace tally::consensus {

const OwnVotes::Signed& OwnVotes::in(View view) const {
  static const Signed kNothing;
  const auto found = views_.find(view);
  return found == views_.end() ? kNothing : found->second;
}

bool OwnVotes::holds(const Statement& statement) const {
  const Signed& own = in(statement.view);
  switch (statement.kind) {
    case VoteKind::notarize:
      return own.notarized == statement.hash;
    case VoteKind::nullify:
      return own.nullified;
    case VoteKind::finalize:
      return own.finalized == statement.hash;
  }
  return false;
}

bool OwnVotes::may_sign(const Statement& statement) const {
  if (limits_.all() || statement.view < limits_.none_below) return false;
  const Signed& own = in(statement.view);
  switch (statement.kind) {
    case VoteKind::notarize:
      return !own.notarized || *own.notarized == statement.hash;
    case VoteKind::nullify:
      return !own.finalized;
    case VoteKind::finalize:
      if (planted(Fault::nullify_then_finalize)) return true;
      return !own.nullified && (!own.finalized || *own.finalized == statement.hash);
  }
  return false;
}

void OwnVotes::record(const Statement& statement) {
  TALLY_ASSERT(may_sign(statement));
  restore(statement);
}

void OwnVotes::restore(const Statement& statement) {
  Signed& own = views_[statement.view];
  switch (statement.kind) {
    case VoteKind::notarize:
      own.notarized = statement.hash;
      break;
    case VoteKind::nullify:
      own.nullified = true;
      break;
    case VoteKind::finalize:
      own.finalized = statement.hash;
      break;
  }
}

void OwnVotes::prune(View floor) {
  views_.erase(views_.begin(), views_.upper_bound(floor));
}

std::optional<ports::HighWater> OwnVotes::high_water(Epoch epoch) const {
  if (views_.empty()) return std::nullopt;
  const auto& [view, own] = *views_.rbegin();
  return ports::HighWater{epoch, view, own.notarized, own.nullified, own.finalized};
}

std::vector<Statement> statements_of(Epoch epoch, View view, const OwnVotes::Signed& own) {
  std::vector<Statement> out;
  if (own.notarized) out.push_back({epoch, VoteKind::notarize, view, *own.notarized});
  if (own.nullified) out.push_back({epoch, VoteKind::nullify, view, Hash{}});
  if (own.finalized) out.push_back({epoch, VoteKind::finalize, view, *own.finalized});
  return out;
}

}  // namespace tally::consensus
