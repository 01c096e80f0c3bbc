#include "modules/channels/invariants.hpp"

#include <map>

#include "modules/channels/rules.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"

namespace tally::channels {
namespace {

bool holds_exactly(const Position& position, const Channel& channel) {
  const auto sum = checked_add(position.balance_a, position.balance_b);
  return sum.ok() && *sum == locked(channel);
}

// 3 and 4: one channel by itself, and against what it was.
Violation channel_violation(const std::optional<Channel>& before, const Channel& after) {
  if ((after.phase == Phase::challenge) != after.challenge.has_value()) {
    return "a channel has a challenge exactly in that phase";
  }
  if (after.phase != Phase::pending && !holds_exactly(after.floor, after)) {
    return "the floor divides what the channel holds";
  }
  if (after.challenge) {
    const Challenge& challenge = *after.challenge;
    if (!holds_exactly(challenge.standing, after)) {
      return "the standing state divides what the channel holds";
    }
    if (challenge.standing.version < after.floor.version) {
      return "no state below the floor stands";
    }
  }
  if (!before) return std::nullopt;
  if (after.floor.version < before->floor.version) return "a floor never falls";
  if (before->challenge) {
    if (!after.challenge) return "a challenge ends with the channel";
    if (after.challenge->standing.version < before->challenge->standing.version) {
      return "the standing version never falls";
    }
    if (after.challenge->deadline < before->challenge->deadline) return "a deadline never falls";
  }
  return std::nullopt;
}

}  // namespace

Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config) {
  std::map<AccountId, std::uint32_t> open;  // differences modulo 2^32
  u128 locked_change = 0;
  Violation found;
  view.for_each(kChannels, [&](const auto&, const auto& was, const auto& is) {
    if (was) locked_change -= locked(*was).micro;
    if (is) locked_change += locked(*is).micro;
    if (was) --open[was->opener];
    if (is) ++open[is->opener];
    if (!is || found) return;
    found = channel_violation(was, *is);
  });
  if (found) return found;
  const Balance locked_now = view.after(kLocked).value_or(Balance{});
  if (locked_now.micro - view.before(kLocked).value_or(Balance{}).micro != locked_change) {
    return "Locked is what all channels hold";
  }
  if (locked_now != credits::held_total(after, credits::HoldReason::channel)) {
    return "what channels hold is what is held for channels";
  }
  view.for_each(kOpenCount, [&](const auto& keys, const auto& was, const auto& is) {
    open[std::get<0>(keys)] -= is.value_or(0) - was.value_or(0);
    if (is.value_or(0) > config.open_max) found = "no opener has more channels than allowed";
  });
  view.for_each(kCounter, [&](const auto&, const auto& was, const auto& is) {
    if (is.value_or(0) < was.value_or(0)) found = "a counter never falls";
  });
  if (found) return found;
  for (const auto& [account, difference] : open) {
    if (difference != 0) return "OpenCount counts an opener's channels";
  }
  return kDeadlines.find_violation(view);  // 5
}

}  // namespace tally::channels
