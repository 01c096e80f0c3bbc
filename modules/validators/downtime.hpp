// Private to the module: who was absent in an epoch. The rule and its error bound: README.md.
#pragma once

#include <vector>

#include "modules/validators/api.hpp"

namespace tally::validators {

// What a member did with the views that it had to lead.
struct Attendance {
  std::uint32_t led{};
  std::uint32_t missed{};
};

// The members that are judged absent, worst first, at most ⌊(n−1)/3⌋ of those that may leave.
struct Roll {
  std::vector<Attendance> members;  // in the set's order
  std::vector<bool> may_leave;      // likewise
  std::uint32_t views_min{};        // who led fewer is not judged
};
std::vector<std::size_t> absent(const Roll& roll);

// Counts the block for its proposer.
void count_block(Context& ctx);
// In the last block of an epoch: fines who was absent and puts it out; clears the counts.
void judge_epoch(Context& ctx, const EpochInfo& info);

}  // namespace tally::validators
