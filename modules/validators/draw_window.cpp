#include "modules/validators/draw_window.hpp"

#include <algorithm>
#include <set>

#include "primitives/assert.hpp"

namespace tally::validators {
namespace {

// After this many views a member, a draw waits no longer.
constexpr std::uint64_t kPatience = 4;

// Leaders of another epoch do not count: their weights are parts of another total.
std::optional<BlockNumber> ready_by_leaders(const std::vector<WindowBlock>& blocks,
                                            const ValidatorSet& set) {
  const std::uint64_t total = set.total_weight();
  std::set<AccountId> leaders;
  std::uint64_t weight = 0;
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    if (block->epoch != blocks.back().epoch) break;
    if (leaders.insert(block->leader).second) weight += block->weight;
    if (3 * weight > total) return BlockNumber(block->number.value - 1);
  }
  return std::nullopt;
}

std::optional<BlockNumber> ready_by_views(const std::vector<WindowBlock>& blocks,
                                          const ValidatorSet& set) {
  const std::uint64_t patience = kPatience * set.size();
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    if (blocks.back().views - block->views >= patience) return block->number;
  }
  return std::nullopt;
}

std::uint64_t weight_in(const ValidatorSet& set, const AccountId& account) {
  for (const Validator& member : set.members) {
    if (member.account == account) return member.weight;
  }
  return 0;
}

}  // namespace

DrawWindow advance(const DrawWindow& window, const WindowStep& step) {
  std::vector<WindowBlock> blocks = window.blocks.items();
  blocks.push_back(step.block);
  DrawWindow next;
  next.ready = window.ready;
  for (const auto& ready : {ready_by_leaders(blocks, step.set), ready_by_views(blocks, step.set)}) {
    if (ready) next.ready = std::max(next.ready, *ready);
  }
  std::erase_if(blocks, [&](const WindowBlock& block) { return block.number <= next.ready; });
  // What stays lies within the last 4n views, and a view has at most one block.
  auto bounded = BoundedVec<WindowBlock, kMaxWindow>::from(std::move(blocks));
  TALLY_ASSERT(bounded.has_value());
  next.blocks = *std::move(bounded);
  return next;
}

DrawWindow next_window(const StateReader& parent, const NewBlock& block) {
  const Epoch epoch = epoch_info(parent).epoch;
  const ValidatorSet set = validator_set(parent);
  return advance(kDrawWindow.get(parent),
                 {{block.number, epoch, kViewsBefore.get(parent) + block.view.value, block.proposer,
                   weight_in(set, block.proposer)},
                  set});
}

BlockNumber draw_ready(const StateReader& parent, const NewBlock& block) {
  return next_window(parent, block).ready;
}

}  // namespace tally::validators
