// When a view has lasted too long.
//
// On entry to view v the node fixes Δ_k, k = max(0, v − 2 − floor view) without the views that were
// skipped because their leader was silent: only a new finalization shortens it again. Nothing runs
// until a block is expected; from then on t_leader = 2Δ_k + min_interval, or nothing for a silent
// leader, and t_advance = 3Δ_k + min_interval. A proposal of the view's leader cancels t_leader;
// only leaving the view cancels t_advance. Retries run from entry, every max(1 s, Δ_k).
#pragma once

#include <optional>
#include <set>

#include "node/consensus/parameters.hpp"
#include "node/ports/clock.hpp"

namespace tally::consensus {

using ports::Instant;

class Pacemaker {
 public:
  Pacemaker(const Parameters& parameters, Instant started)
      : parameters_(parameters), started_(started), entered_(started) {}

  void enter(View view, View floor, Instant now);
  void expect(Instant now);  // a block is expected; the first call of a view counts
  void proposal_seen() { proposal_seen_ = true; }
  // The leader of this view is taken for silent: t_leader is 0 from now on.
  void leader_silent();
  void floor_moved(View floor);

  bool expected() const { return expected_since_.has_value(); }
  bool has_proposal() const { return proposal_seen_; }
  Instant entered() const { return entered_; }
  Instant started() const { return started_; }
  DurationMs delta() const { return delta_; }
  Instant proposal_from() const { return entered_ + parameters_.min_interval; }

  bool leader_due(Instant now) const;
  bool advance_due(Instant now) const;
  // True once each retry interval.
  bool take_retry(Instant now);
  // The next instant at which one of the above changes; t_leader and t_advance only while
  // `may_nullify`.
  std::optional<Instant> next(bool may_nullify) const;

 private:
  Instant leader_at() const;
  Instant advance_at() const;

  Parameters parameters_;
  Instant started_;
  Instant entered_;
  View view_;
  DurationMs delta_;
  std::optional<Instant> expected_since_;
  bool proposal_seen_ = false;
  bool silent_ = false;
  Instant retry_at_;
  std::set<View> silent_views_;  // above the floor
};

}  // namespace tally::consensus
