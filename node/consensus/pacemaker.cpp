#include "node/consensus/pacemaker.hpp"

#include <algorithm>

#include "node/consensus/planted.hpp"

namespace tally::consensus {

void Pacemaker::enter(View view, View floor, Instant now) {
  const std::uint64_t skipped = silent_views_.size();
  const std::uint64_t behind = view.value > floor.value + 2 ? view.value - floor.value - 2 : 0;
  const std::uint64_t failed = behind > skipped ? behind - skipped : 0;
  delta_ = delta_at(parameters_.delta, planted(Fault::reset_timeouts) ? 0 : failed);
  view_ = view;
  entered_ = now;
  expected_since_.reset();
  proposal_seen_ = false;
  silent_ = false;
  retry_at_ = now + DurationMs(std::max(kRetryMsMin, delta_.value));
}

void Pacemaker::expect(Instant now) {
  if (!expected_since_) expected_since_ = now;
}

void Pacemaker::leader_silent() {
  if (silent_) return;
  silent_ = true;
  silent_views_.insert(view_);
}

void Pacemaker::floor_moved(View floor) {
  silent_views_.erase(silent_views_.begin(), silent_views_.upper_bound(floor));
}

Instant Pacemaker::leader_at() const {
  if (silent_) return *expected_since_;
  return *expected_since_ + DurationMs(2 * delta_.value + parameters_.min_interval.value);
}

Instant Pacemaker::advance_at() const {
  return *expected_since_ + DurationMs(3 * delta_.value + parameters_.min_interval.value);
}

bool Pacemaker::leader_due(Instant now) const {
  return expected_since_ && !proposal_seen_ && leader_at() <= now;
}

bool Pacemaker::advance_due(Instant now) const {
  return expected_since_ && advance_at() <= now;
}

bool Pacemaker::take_retry(Instant now) {
  if (now < retry_at_) return false;
  retry_at_ = now + DurationMs(std::max(kRetryMsMin, delta_.value));
  return true;
}

std::optional<Instant> Pacemaker::next(bool may_nullify) const {
  Instant first = retry_at_;
  if (may_nullify && expected_since_) {
    if (!proposal_seen_) first = std::min(first, leader_at());
    first = std::min(first, advance_at());
  }
  return first;
}

}  // namespace tally::consensus
