// What decides a dispute, as pure functions: what is at stake, when a time is up, what the votes
// say. Money is in payout.hpp, the draw in draw.hpp.
#pragma once

#include <optional>

#include "modules/disputes/api.hpp"
#include "modules/disputes/config.hpp"
#include "modules/disputes/types.hpp"
#include "modules/support/context.hpp"

namespace tally::disputes {

// What the rules know of the block.
struct Moment {
  TimestampMs time;
  PeriodStretch stretch{1'000};
};
inline Moment moment_of(const BlockContext& block) {
  return {block.time, block.period_stretch};
}

// Of a receipt: finished at most `window` of header time ago, not counting `paused`.
struct Age {
  TimestampMs finished;
  TimestampMs now;  // header time
  DurationMs paused;
};
bool is_too_old(const Age& age, const Config& config);

// --- Times ---

DurationMs commit_window(Balance fee, const Config& config);
PhaseClock start_clock(DurationMs window, const Moment& now);
// A phase ends here, if the lane stays as busy as it is.
TimestampMs phase_end(const PhaseClock& clock, PeriodStretch stretch);

// --- Seats ---

bool any_seat(const Dispute& dispute, SeatState state);  // of the round that runs
// Everybody whom this phase waits for has done its part.
bool is_phase_done(const Dispute& dispute);
// How many places of the round's draw went to somebody else than who was called first.
std::uint32_t replacements(const Dispute& dispute, Round round);
// When the chain has to look at the dispute next; in the future of `now` unless its phase is over.
TimestampMs next_wake(const Dispute& dispute, const Config& config, PeriodStretch stretch);

// --- Verdicts ---

// What follows from a vote that decides.
Outcome outcome_of(const Vote& vote, const Hash& workers_output);
// Of the first round: `quorum_first` equal votes; of the second: `quorum_second` among all. Nothing
// while they do not agree. `unavailable` decides only where the input is not inline.
std::optional<Verdict> first_instance(const Dispute& dispute, const Config& config);
// Of an appeal's panel: equal votes of more than half of its seats, whoever stayed silent.
std::optional<Verdict> panel_verdict(const Dispute& dispute);
// The panel's where there is one, else the first instance's, else inconclusive.
Verdict final_verdict(const Dispute& dispute);
// Whether the panel decided on another vote than the first instance.
bool is_overturned(const Dispute& dispute);
// Of a verdict, inconclusive excepted.
Party loser_of(Outcome outcome);

}  // namespace tally::disputes
