#include "node/consensus/parameters.hpp"

namespace tally::consensus {

Result<void, Error> Parameters::check() const {
  constexpr std::uint64_t kHour = 3'600'000;
  const auto within = [](DurationMs d, std::uint64_t min) {
    return d.value >= min && d.value <= kHour;
  };
  if (!within(delta, 4)) return fail_with("delta must lie between 4 ms and an hour");
  if (!within(min_interval, 1)) return fail_with("min_interval must lie between 1 ms and an hour");
  if (!within(idle_interval, min_interval.value)) {
    return fail_with("idle_interval must lie between min_interval and an hour");
  }
  if (!within(max_drift, 2)) return fail_with("max_drift must lie between 2 ms and an hour");
  if (epoch_length == 0) return fail_with("an epoch needs at least one block");
  if (block_bytes_max == 0 || block_bytes_max > 3 * 1024 * 1024) {
    return fail_with("a block holds between 1 byte and 3 MiB, so that a proposal fits a frame");
  }
  if (extrinsic_bytes_max == 0) return fail_with("an extrinsic needs at least one byte");
  return {};
}

DurationMs delta_at(DurationMs delta, std::uint64_t k) {
  const std::uint64_t cap = delta.value * 16;
  std::uint64_t value = delta.value;
  for (std::uint64_t i = 0; i < k && value < cap; ++i) value = value * 5 / 4;
  return DurationMs(value < cap ? value : cap);
}

BlockNumber epoch_end(Epoch epoch, std::uint32_t epoch_length) {
  const std::uint64_t end = epoch.value * epoch_length;
  TALLY_ASSERT(end <= ~std::uint32_t{0});
  return BlockNumber(static_cast<std::uint32_t>(end));
}

}  // namespace tally::consensus
