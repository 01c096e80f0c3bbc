// Rewards from the reward pool for work that was paid in a channel, as pure rules.
//
//   reward = min(reward_percent · multiplier(h) · fee, reward_percent_max · fee,
//                what the epoch's cap leaves), rounded down
//
// fee = the settlement fee paid on the channel; h = network-wide compute hours before it. The
// maximum is below the fee, so dealing with oneself is always a loss. A reward vests after
// Config.reward_vesting; until then a slash or a ban cancels it. No credits move before it is paid.
#pragma once

#include "modules/workers/config.hpp"
#include "modules/workers/types.hpp"

namespace tally::workers {

struct RewardBasis {
  Balance fee;
  std::uint64_t multiplier{};  // billionths
  Balance epoch_left;          // of Config.reward_epoch_max
};
Balance reward_for(const RewardBasis& basis, const Config& config);

// When a reward granted at `now` vests: rounded up to a 32nd of the vesting time, so that the list
// of them is bounded.
TimestampMs vesting_end(TimestampMs now, const Config& config);

using RewardList = BoundedVec<Reward, kMaxRewards>;
// Joins what is vested into one entry, so that there is always room.
void add_reward(RewardList& rewards, const Reward& reward, TimestampMs now);
Balance vested(const RewardList& rewards, TimestampMs now);
// Takes `amount` ≤ vested out of the list.
void take_vested(RewardList& rewards, TimestampMs now, Balance amount);
// Removes what is not vested and returns it.
Balance forfeit(RewardList& rewards, TimestampMs now);

struct CountBasis {
  std::uint64_t receipts_count{};
  Balance turnover;
  std::uint32_t counted_before{};  // between these two
};
// Tasks that a co-operative close counts: min(receipts, turnover / task_turnover, what partner_max
// leaves).
std::uint32_t tasks_counted(const CountBasis& basis, const Config& config);

}  // namespace tally::workers
