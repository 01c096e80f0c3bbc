#include "modules/workers/rewards.hpp"

#include <algorithm>
#include <vector>

#include "modules/workers/stake.hpp"
#include "primitives/assert.hpp"

namespace tally::workers {

namespace {

constexpr u128 kBillion = 1'000'000'000;
constexpr std::uint64_t kVestingSteps = 32;

Balance scaled(Balance amount, u128 numerator, u128 denominator) {
  const auto result = mul_div(amount, numerator, denominator);
  TALLY_ASSERT(result.ok());
  return *result;
}

}  // namespace

Balance reward_for(const RewardBasis& basis, const Config& config) {
  const Balance by_curve =
      scaled(basis.fee, u128{config.reward_percent} * basis.multiplier, 100 * kBillion);
  const Balance at_most = scaled(basis.fee, config.reward_percent_max, 100);
  return min(min(by_curve, at_most), basis.epoch_left);
}

TimestampMs vesting_end(TimestampMs now, const Config& config) {
  const std::uint64_t step =
      std::max<std::uint64_t>(1, config.reward_vesting.value / kVestingSteps);
  const std::uint64_t end = now.value + config.reward_vesting.value;
  return TimestampMs((end / step + (end % step != 0 ? 1 : 0)) * step);
}

void add_reward(RewardList& rewards, const Reward& reward, TimestampMs now) {
  std::vector<Reward> items = rewards.items();
  items.push_back(reward);
  std::vector<Reward> joined;
  for (const Reward& item : items) {
    const bool join =
        !joined.empty() && (item.vests_at == joined.back().vests_at || item.vests_at <= now);
    if (join) {
      joined.back() = {sum(joined.back().amount, item.amount), item.vests_at};
    } else {
      joined.push_back(item);
    }
  }
  const auto bounded = RewardList::from(std::move(joined));
  TALLY_ASSERT(bounded.has_value());  // one vested entry and at most 34 steps
  rewards = *bounded;
}

Balance vested(const RewardList& rewards, TimestampMs now) {
  Balance all;
  for (const Reward& reward : rewards) {
    if (reward.vests_at <= now) all = sum(all, reward.amount);
  }
  return all;
}

void take_vested(RewardList& rewards, TimestampMs now, Balance amount) {
  std::vector<Reward> kept;
  for (const Reward& reward : rewards) {
    const Balance take = reward.vests_at <= now ? min(reward.amount, amount) : Balance{};
    amount = rest(amount, take);
    if (take < reward.amount) kept.push_back({rest(reward.amount, take), reward.vests_at});
  }
  TALLY_ASSERT(amount.is_zero());
  rewards = *RewardList::from(std::move(kept));
}

Balance forfeit(RewardList& rewards, TimestampMs now) {
  std::vector<Reward> kept;
  Balance lost;
  for (const Reward& reward : rewards) {
    if (reward.vests_at <= now) {
      kept.push_back(reward);
    } else {
      lost = sum(lost, reward.amount);
    }
  }
  rewards = *RewardList::from(std::move(kept));
  return lost;
}

std::uint32_t tasks_counted(const CountBasis& basis, const Config& config) {
  const u128 by_turnover = basis.turnover.micro / config.task_turnover.micro;
  const u128 room = config.partner_max - std::min(config.partner_max, basis.counted_before);
  return static_cast<std::uint32_t>(std::min({u128{basis.receipts_count}, by_turnover, room}));
}

}  // namespace tally::workers
