#include "modules/workers/reputation.hpp"

#include <algorithm>

#include "primitives/assert.hpp"

namespace tally::workers {

namespace {

constexpr std::int64_t kBillion = 1'000'000'000;
constexpr int kFractionBits = 63;
constexpr int kDigits = 36;
constexpr int kRange = 32;

// The place of the highest binary digit; value > 0.
int top_digit(u128 value) {
  int place = 0;
  while (value >>= 1) ++place;
  return place;
}

// ⌊log2(n / d)⌋
int whole_log2(u128 n, u128 d) {
  const int guess = top_digit(n) - top_digit(d);
  const bool reached = guess >= 0 ? n >= d << guess : n << -guess >= d;
  return reached ? guess : guess - 1;
}

// Both divided by one power of two, so that the shifts below do not overflow.
void reduce(u128& n, u128& d) {
  while (top_digit(n) > 90 || top_digit(d) > 90) {
    n >>= 1;
    d >>= 1;
    if (n == 0) n = 1;
    if (d == 0) d = 1;
  }
}

}  // namespace

std::int64_t log2_billionths(const Ratio& ratio) {
  u128 n = ratio.numerator.micro;
  u128 d = ratio.denominator.micro;
  TALLY_ASSERT(n > 0 && d > 0);
  reduce(n, d);
  const int whole = whole_log2(n, d);
  if (whole >= kRange) return kRange * kBillion;
  if (whole < -kRange) return -kRange * kBillion;
  const u128 up = u128{1} << (kFractionBits - std::min(whole, 0));
  const u128 down = d << std::max(whole, 0);
  const auto scaled = mul_div(Balance(n), up, down);
  TALLY_ASSERT(scaled.ok());
  auto m = static_cast<std::uint64_t>(scaled->micro);
  std::uint64_t digits = 0;
  for (int i = 0; i < kDigits; ++i) {
    const u128 square = u128{m} * m;  // of 126 fraction bits
    const bool one = square >> (2 * kFractionBits + 1) != 0;
    m = static_cast<std::uint64_t>(square >> (kFractionBits + (one ? 1 : 0)));
    digits = digits << 1 | (one ? 1u : 0u);
  }
  const auto fraction = static_cast<std::int64_t>((u128{digits} * kBillion) >> kDigits);
  return whole * kBillion + fraction;
}

std::uint64_t stake_weight_billionths(Balance own, Balance minimum) {
  if (own.is_zero()) return 0;
  // >> 4: a sixteenth, rounded down where the logarithm is negative too.
  const std::int64_t weight = kBillion / 4 * 3 + (log2_billionths({own, minimum}) >> 4);
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(weight, 0, kBillion));
}

Fraction uptime_of(const Uptime& uptime, std::uint64_t slot_now) {
  const std::uint64_t since = slot_now - std::min(slot_now, uptime.first_slot);
  const std::uint64_t whole = std::min<std::uint64_t>(kUptimeSlots, since);
  if (whole == 0) return {1, 1};
  std::uint64_t part = 0;
  for (std::uint64_t slot = slot_now - whole; slot < slot_now; ++slot) {
    if (slot > uptime.last_slot) break;
    const std::size_t bit = slot % kUptimeBits;
    part += uptime.beats[bit / 8] >> (bit % 8) & 1;
  }
  return {part, whole};
}

void mark_heartbeat(Uptime& uptime, std::uint64_t slot) {
  TALLY_ASSERT(slot >= uptime.last_slot);
  if (slot - uptime.last_slot >= kUptimeBits) {
    uptime.beats.fill(0);
  } else {
    for (std::uint64_t missed = uptime.last_slot + 1; missed < slot; ++missed) {
      const std::size_t bit = missed % kUptimeBits;
      uptime.beats[bit / 8] &= static_cast<std::uint8_t>(~(1u << (bit % 8)));
    }
  }
  const std::size_t bit = slot % kUptimeBits;
  uptime.beats[bit / 8] |= static_cast<std::uint8_t>(1u << (bit % 8));
  uptime.last_slot = slot;
}

std::uint32_t reputation_points(const Standing& standing) {
  // At most 10³ · 2⁶⁴ · 2¹⁰ · 10⁹, below 2¹²⁵.
  const u128 right = u128{standing.done} + 1;
  const u128 all = u128{standing.done} + standing.failed + 2;
  const u128 above = 1'000 * right * right * standing.uptime.part * standing.stake_weight;
  const u128 below = all * all * standing.uptime.whole * static_cast<u128>(kBillion);
  const auto points = static_cast<std::uint32_t>(above / below);
  return points - std::min(points, standing.penalty);
}

}  // namespace tally::workers
