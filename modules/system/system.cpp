#include <algorithm>

#include "modules/system/api.hpp"

namespace tally::system {

namespace {

constexpr std::uint64_t kMinuteMs = 60'000;
constexpr std::uint64_t kStretchPlain = 1'000;
constexpr std::uint64_t kStretchMax = 4'000;

}  // namespace

BlockNumber block_number(const StateReader& state) {
  return kNumber.get(state);
}

Hash genesis_hash(const Parent& parent) {
  const auto hash = block_hash(parent, BlockNumber(0));
  TALLY_ASSERT(hash.has_value());
  return *hash;
}

std::optional<Hash> block_hash(const Parent& parent, BlockNumber number) {
  const BlockNumber newest = kNumber.get(parent.state);
  if (number == newest) return parent.hash;
  if (number > newest) return std::nullopt;
  return kBlockHash.find(parent.state, number);
}

TimestampMs next_chain_time(const StateReader& state, const Config& config,
                            TimestampMs header_time) {
  const TimestampMs before = kHeaderTime.get(state);
  TALLY_ASSERT(header_time > before);
  const std::uint64_t step =
      std::min(header_time.value - before.value, 2 * config.idle_interval.value);
  return TimestampMs(kChainTime.get(state).value + step);
}

PeriodStretch period_stretch(const LaneUsage& usage) {
  u128 used = 0;
  u128 capacity = 0;
  for (const LaneBucket& bucket : usage) {
    used += bucket.used.value;
    capacity += bucket.capacity.value;
  }
  if (used * 2 <= capacity) return PeriodStretch(kStretchPlain);
  const u128 above_half = 2 * used - capacity;
  const u128 extra = (kStretchMax - kStretchPlain) * above_half / capacity;
  return PeriodStretch(
      static_cast<std::uint32_t>(std::min<u128>(kStretchPlain + extra, kStretchMax)));
}

void on_block_start(Context& ctx) {
  const BlockContext& block = ctx.block;
  const BlockNumber parent_number(block.number.value - 1);
  kNumber.put(ctx.state, block.number);
  kParentHash.put(ctx.state, block.parent_hash);
  kBlockHash.put(ctx.state, parent_number, block.parent_hash);
  // The hash of genesis stays for ever: every signature covers it.
  if (parent_number.value > kBlockHashCount) {
    kBlockHash.erase(ctx.state, BlockNumber(parent_number.value - kBlockHashCount));
  }
  kHeaderTime.put(ctx.state, block.header_time);
  kChainTime.put(ctx.state, block.time);
}

void on_block_end(Context& ctx, const LaneUse& use) {
  const std::uint64_t minute = ctx.block.time.value / kMinuteMs;
  std::vector<LaneBucket> buckets = kLaneUsage.get(ctx.state).items();
  std::erase_if(buckets, [&](const LaneBucket& b) { return b.minute + kLaneBuckets <= minute; });
  if (buckets.empty() || buckets.back().minute != minute) {
    buckets.push_back({minute, Weight{}, Weight{}});
  }
  LaneBucket& last = buckets.back();
  last.used = Weight(last.used.value + std::min(use.used.value, use.capacity.value));
  last.capacity = Weight(last.capacity.value + use.capacity.value);
  auto usage = LaneUsage::from(std::move(buckets));
  TALLY_ASSERT(usage.has_value());
  kLaneUsage.put(ctx.state, *usage);
}

CallProperties properties(const Call&) {
  return {.weight = Weight(1'000'000)};
}

DispatchResult dispatch(Context&, const Origin&, const Call&) {
  return {};
}

}  // namespace tally::system
