#include "modules/disputes/rules.hpp"

#include <algorithm>

#include "primitives/assert.hpp"
#include "primitives/task/price.hpp"

namespace tally::disputes {
namespace {

constexpr Balance kMaxAmount{u128{1} << 100};
constexpr std::uint64_t kPlain = 1'000;  // thousandths of a stretch

Balance must(const Result<Balance, ArithmeticError>& amount) {
  TALLY_ASSERT(amount.ok());  // amounts are at most kMaxAmount, factors are small
  return *amount;
}

TimestampMs later(TimestampMs time, DurationMs by) {
  return TimestampMs(time.value + by.value);
}
DurationMs stretched(DurationMs period, PeriodStretch stretch) {
  return DurationMs(period.value * stretch.value / kPlain);
}

// A vote that at least `needed` of the seats that `counts` gave.
template <class Counts>
std::optional<Vote> agreed(const Dispute& dispute, std::size_t needed, Counts&& counts) {
  for (const Seat& seat : dispute.seats) {
    if (!counts(seat) || !seat.vote) continue;
    const bool unavailable = std::holds_alternative<UnavailableVote>(*seat.vote);
    if (unavailable && dispute.input_inline) continue;
    const auto equal =
        std::count_if(dispute.seats.begin(), dispute.seats.end(),
                      [&](const Seat& other) { return counts(other) && other.vote == seat.vote; });
    if (static_cast<std::size_t>(equal) >= needed) return seat.vote;
  }
  return std::nullopt;
}

std::optional<Verdict> verdict_of(const std::optional<Vote>& vote, const Hash& workers_output) {
  if (!vote) return std::nullopt;
  return Verdict{outcome_of(*vote, workers_output), vote};
}

}  // namespace

bool is_too_old(const Age& age, const Config& config) {
  const u128 end = u128{age.finished.value} + config.challenge_window.value + age.paused.value;
  return age.now.value > end;
}

std::optional<Stakes> stakes_of(const task::Receipt& receipt, const Config& config) {
  if (receipt.price > kMaxAmount) return std::nullopt;
  const auto reference = task::price_of(task::reference_price(receipt.type), receipt.metered_units,
                                        task::Priority::normal);
  if (!reference.ok() || *reference > kMaxAmount) return std::nullopt;
  const Balance fee = max(config.fee_min, max(receipt.price, *reference));
  const Balance fees = must(checked_mul(fee, config.bond_fees));
  const Balance bond = must(checked_add(must(checked_add(config.award, config.burn)), fees));
  return Stakes{fee, bond, must(checked_mul(bond, config.appeal_factor)),
                commit_window(fee, config)};
}

DurationMs commit_window(Balance fee, const Config& config) {
  const auto by_fee = mul_div(fee, config.commit_per_credit.value, kCredit.micro);
  const u128 most = config.commit_max.value;
  const u128 wanted = by_fee.ok() ? std::min(by_fee->micro, most) : most;
  return DurationMs(std::max(config.window.value, static_cast<std::uint64_t>(wanted)));
}

PhaseClock start_clock(DurationMs window, const Moment& now) {
  return {now.time, window, later(now.time, stretched(window, now.stretch))};
}

TimestampMs phase_end(const PhaseClock& clock, PeriodStretch stretch) {
  return std::max(clock.deadline, later(clock.started, stretched(clock.window, stretch)));
}

TimestampMs accept_by(const Seat& seat, const Config& config, PeriodStretch stretch) {
  return later(seat.called_at, stretched(config.accept_window, stretch));
}

bool any_seat(const Dispute& dispute, SeatState state) {
  return std::any_of(dispute.seats.begin(), dispute.seats.end(), [&](const Seat& seat) {
    return seat.round == dispute.round && seat.state == state;
  });
}

const Seat* seat_of(const Dispute& dispute, const AccountId& verifier) {
  for (const Seat& seat : dispute.seats) {
    if (seat.round == dispute.round && seat.verifier == verifier &&
        seat.state != SeatState::vacant) {
      return &seat;
    }
  }
  return nullptr;
}

bool is_phase_done(const Dispute& dispute) {
  if (dispute.phase == Phase::commit) {
    return !any_seat(dispute, SeatState::called) && !any_seat(dispute, SeatState::accepted);
  }
  return dispute.phase == Phase::reveal && !any_seat(dispute, SeatState::committed);
}

std::uint32_t replacements(const Dispute& dispute, Round round) {
  const bool appeal = round == Round::appeal;
  const auto seats =
      std::count_if(dispute.seats.begin(), dispute.seats.end(),
                    [&](const Seat& seat) { return (seat.round == Round::appeal) == appeal; });
  const std::uint32_t called = appeal ? dispute.appeal->draw.called : dispute.draw.called;
  return called - static_cast<std::uint32_t>(seats);
}

TimestampMs next_wake(const Dispute& dispute, const Config& config, PeriodStretch stretch) {
  TimestampMs wake = phase_end(dispute.clock, stretch);
  if (dispute.phase != Phase::commit) return wake;
  for (const Seat& seat : dispute.seats) {
    if (seat.round != dispute.round || seat.state != SeatState::called) continue;
    wake = std::min(wake, accept_by(seat, config, stretch));
  }
  return wake;
}

Outcome outcome_of(const Vote& vote, const Hash& workers_output) {
  const auto* output = std::get_if<OutputVote>(&vote);
  if (output == nullptr) return Outcome::unavailable;
  return output->output_hash == workers_output ? Outcome::accepted : Outcome::rejected;
}

std::optional<Verdict> first_instance(const Dispute& dispute, const Config& config) {
  const bool first = dispute.round == Round::first;
  const auto vote = agreed(dispute, first ? config.quorum_first : config.quorum_second,
                           [](const Seat& seat) { return seat.round != Round::appeal; });
  return verdict_of(vote, dispute.output_hash);
}

std::optional<Verdict> panel_verdict(const Dispute& dispute) {
  const auto counts = [](const Seat& seat) { return seat.round == Round::appeal; };
  const auto seats = std::count_if(dispute.seats.begin(), dispute.seats.end(), counts);
  const auto majority = static_cast<std::size_t>(seats) / 2 + 1;
  return verdict_of(agreed(dispute, majority, counts), dispute.output_hash);
}

Verdict final_verdict(const Dispute& dispute) {
  if (const auto panel = panel_verdict(dispute)) return *panel;
  return dispute.verdict.value_or(Verdict{Outcome::inconclusive, std::nullopt});
}

bool is_overturned(const Dispute& dispute) {
  const auto panel = panel_verdict(dispute);
  return panel && dispute.verdict && panel->vote != dispute.verdict->vote;
}

Party loser_of(Outcome outcome) {
  TALLY_ASSERT(outcome != Outcome::inconclusive);
  return outcome == Outcome::rejected ? Party::worker : Party::challenger;
}

}  // namespace tally::disputes
