#include "tests/sim/checkers.hpp"

#include <algorithm>

namespace tally::sim {

void Checkers::on_final(std::size_t node, const consensus::Finalized& block) {
  const std::uint32_t height = block.header.number.value.value;
  const std::string where =
      "node " + std::to_string(node) + ", height " + std::to_string(height) + ": ";
  if (height > heights_[node] + 1) fail(where + "a height was left out");
  const Final final{block.hash, block.header.state_root, block.header.parent_hash};
  const auto [found, fresh] = chain_.try_emplace(height, final);
  if (!fresh && found->second.hash != final.hash) fail(where + "two final blocks");
  if (found->second.state_root != final.state_root) fail(where + "two state roots");
  const auto below = chain_.find(height - 1);
  if (below != chain_.end() && below->second.hash != final.parent) {
    fail(where + "does not stand on the final block below it");
  }
  heights_[node] = std::max(heights_[node], height);
  if (!fresh) return;
  transactions_ += block.extrinsics.size();
  if (const auto digest = consensus_digest(block.header)) epochs_.insert(digest->epoch.value);
}

void Checkers::on_sent(std::size_t node, const core::WireMessage& message) {
  const auto* frame = std::get_if<core::ConsensusFrame>(&message);
  if (frame == nullptr) return;
  if (const auto* vote = std::get_if<consensus::VoteMessage>(&frame->envelope.message)) {
    on_vote(node, vote->vote);
  } else if (const auto* made = std::get_if<consensus::Proposal>(&frame->envelope.message)) {
    on_vote(node, made->notarize);
  }
}

void Checkers::on_vote(std::size_t node, const Vote& vote) {
  const Statement& statement = vote.statement;
  Cast& cast = cast_[{node, statement.epoch.value, statement.view.value}];
  const std::string where = "node " + std::to_string(node) + ", epoch " +
                            std::to_string(statement.epoch.value) + ", view " +
                            std::to_string(statement.view.value) + ": ";
  switch (statement.kind) {
    case VoteKind::notarize:
      if (cast.notarize && *cast.notarize != statement.hash) fail(where + "two Notarize");
      cast.notarize = statement.hash;
      break;
    case VoteKind::nullify:
      cast.nullify = true;
      break;
    case VoteKind::finalize:
      if (cast.finalize && *cast.finalize != statement.hash) fail(where + "two Finalize");
      cast.finalize = statement.hash;
      break;
  }
  if (cast.nullify && cast.finalize) fail(where + "Nullify and Finalize");
}

void Checkers::on_violation(std::size_t node, const std::string& what) {
  fail("node " + std::to_string(node) + " saw the fault bound broken: " + what);
}

std::uint32_t Checkers::highest() const {
  return *std::max_element(heights_.begin(), heights_.end());
}

}  // namespace tally::sim
