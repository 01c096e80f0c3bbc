#include "node/consensus/key_guard.hpp"

#include <algorithm>
#include <set>

namespace tally::consensus {

DurationMs listening_time(const Parameters& parameters) {
  return DurationMs(parameters.idle_interval.value + kListenDeltas * parameters.delta.value);
}

KeyGuard::KeyGuard(Start start, const Parameters& parameters, Instant now)
    : mode_(start.mode),
      fresh_(start.fresh),
      blank_(start.blank),
      reason_(std::move(start.reason)),
      duration_(listening_time(parameters)),
      since_(now) {}

void KeyGuard::up(ValidatorIndex validator, Instant now) {
  linked_.try_emplace(validator, now);
}

void KeyGuard::down(const Peers& peers) {
  std::erase_if(linked_, [&](const auto& link) { return peers.of(link.first).empty(); });
}

void KeyGuard::begin_anew(Instant now) {
  since_ = now;
  for (auto& [validator, since] : linked_) since = now;
}

bool KeyGuard::listen(const Sight& sight, Instant now) {
  if (mode_ != Mode::listening || !has_listened(sight, now)) return false;
  mode_ = blank_ ? Mode::shut_epoch : Mode::open;
  blank_ = false;
  return mode_ == Mode::open;
}

bool KeyGuard::has_listened(const Sight& sight, Instant now) const {
  if (sight.set.size() == 1 && sight.self) return true;
  if (!fresh_ && elapsed(since_, now) < duration_) return false;
  // This node's place beside the peer's: not behind in what is final, and of one epoch.
  const auto caught_up = [&](const Hint& theirs) {
    if (theirs.epoch == Epoch(0)) return false;  // it has not said
    return theirs.epoch < sight.own.epoch ||
           (theirs.epoch == sight.own.epoch && theirs.floor <= sight.own.floor);
  };
  const Hint genesis{Epoch(1), View(1), View(0)};
  std::uint64_t weight = sight.self ? sight.set.at(*sight.self).weight : 0;
  // Peers once, not once for each validator: this runs at every frame of a start.
  std::set<ValidatorIndex> counted;
  for (const auto& [peer, state] : sight.peers.all()) {
    if (!state.validator || state.validator == sight.self) continue;
    const auto linked = linked_.find(*state.validator);
    if (linked == linked_.end()) continue;
    const bool counts = (fresh_ && state.hint == genesis) ||
                        (elapsed(linked->second, now) >= duration_ && caught_up(state.hint));
    if (counts && counted.insert(*state.validator).second) {
      weight += sight.set.at(*state.validator).weight;
    }
  }
  return weight >= sight.set.quorum();
}

std::optional<Instant> KeyGuard::next(Instant now) const {
  if (mode_ != Mode::listening) return std::nullopt;
  std::optional<Instant> first;
  const auto offer = [&](Instant at) {
    if (at > now && (!first || at < *first)) first = at;
  };
  offer(since_ + duration_);
  for (const auto& [validator, since] : linked_) offer(since + duration_);
  return first;
}

DurationMs KeyGuard::listened(Instant now) const {
  return DurationMs(std::min(elapsed(since_, now).value, duration_.value));
}

void KeyGuard::heard_foreign(std::string what) {
  if (mode_ == Mode::listening) {
    mode_ = Mode::shut_epoch;
  } else if (mode_ == Mode::open) {
    mode_ = Mode::shut;
  } else {
    return;
  }
  reason_ = std::move(what);
}

KeyGuard::Start KeyGuard::carried() const {
  if (mode_ == Mode::shut_epoch) return {Mode::listening, false, {}, blank_};
  return {mode_, false, reason_, blank_};
}

}  // namespace tally::consensus
