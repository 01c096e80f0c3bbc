#include "modules/disputes/invariants.hpp"

#include <map>

#include "modules/credits/api.hpp"
#include "modules/disputes/payout.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/workers/api.hpp"

namespace tally::disputes {
namespace {

u128 held_for(const Dispute& dispute) {
  return dispute.phase == Phase::ended ? 0 : bound_by(dispute, Party::challenger).micro;
}

using Claims = std::map<AccountId, u128>;  // differences modulo 2^128

void claim(Claims& claims, const Dispute& dispute, bool after) {
  if (dispute.phase == Phase::ended) return;
  const auto add = [&](const AccountId& who, Balance amount) {
    claims[who] += after ? amount.micro : -amount.micro;
  };
  add(dispute.worker, bound_by(dispute, Party::worker));
  for (const Seat& seat : dispute.seats) add(seat.verifier, seat.frozen);
}

u128 frozen(const StateReader& state, const AccountId& account) {
  const auto worker = workers::find(state, account);
  return worker ? worker->frozen.micro : 0;
}

// 3: one dispute by itself.
Violation dispute_violation(const Dispute& dispute, const Config& config) {
  const bool drawn = dispute.draw.source.has_value();
  if (dispute.phase != Phase::awaiting_draw && !drawn) return "no phase without a draw";
  if (dispute.phase == Phase::decided && !dispute.verdict) return "decided by a verdict";
  if ((dispute.phase == Phase::ended) != dispute.payouts.has_value()) {
    return "paid out when ended, and not before";
  }
  if (dispute.stake > dispute.bond) return "a worker's stake is at most the bond";
  for (const Seat& seat : dispute.seats) {
    const bool bound = seat.state != SeatState::called && seat.state != SeatState::vacant;
    if (dispute.phase != Phase::ended && bound != (seat.frozen == config.fine)) {
      return "a verifier's fine is frozen from its acceptance";
    }
    if (seat.vote.has_value() != (seat.state == SeatState::revealed)) {
      return "a vote stands when it is revealed";
    }
  }
  return std::nullopt;
}

// 4: what an ended dispute took is what it paid.
Violation payout_violation(const Dispute& dispute) {
  if (!dispute.payouts) return std::nullopt;
  const Payouts& payouts = *dispute.payouts;
  u128 in = bound_by(dispute, Party::challenger).micro + bound_by(dispute, Party::worker).micro +
            payouts.from_pool.micro;
  for (const Seat& seat : dispute.seats) {
    const bool fined =
        !seat.frozen.is_zero() && dispute.verdict->vote && seat.vote != dispute.verdict->vote;
    if (fined && (seat.round != Round::appeal || panel_verdict(dispute))) in += seat.frozen.micro;
  }
  const u128 out = payouts.fees.micro + payouts.award.micro + payouts.burned.micro +
                   payouts.to_challenger.micro + payouts.to_worker.micro;
  if (in != out) return "what a dispute takes is what it pays, burns and gives back";
  return std::nullopt;
}

// 5: the line of draws.
Violation line_violation(const ChangeView& view) {
  std::uint64_t entries = 0;  // differences modulo 2^64
  view.for_each(kWaiting, [&](const auto&, const auto& before, const auto& after) {
    entries += std::uint64_t{after.has_value()} - std::uint64_t{before.has_value()};
  });
  const WaitingLine was = view.before(kWaitingLine).value_or(WaitingLine{});
  const WaitingLine is = view.after(kWaitingLine).value_or(WaitingLine{});
  if (is.drawn > is.fixed || is.fixed > is.end || is.pooled > is.end) return "the line is a line";
  if (entries != (is.end - is.drawn) - (was.end - was.drawn)) return "the line counts its draws";
  return std::nullopt;
}

}  // namespace

Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config) {
  u128 held_change = 0;
  Claims claims;
  Violation found;
  view.for_each(kDisputes, [&](const auto& keys, const auto& was, const auto& is) {
    if (was) {
      held_change -= held_for(*was);
      claim(claims, *was, false);
    }
    if (!is) {
      if (was && was->phase != Phase::ended) found = "a dispute goes when it has ended";
      return;
    }
    held_change += held_for(*is);
    claim(claims, *is, true);
    if (found) return;
    found = dispute_violation(*is, config);
    if (!found) found = payout_violation(*is);
    const bool running = is->phase != Phase::ended;
    if (view.after(kCases, std::get<0>(keys)).has_value() != running) {
      found = "a case is kept while its dispute runs";
    }
  });
  if (found) return found;
  const u128 held = view.after(kHeld).value_or(Balance{}).micro;
  if (held - view.before(kHeld).value_or(Balance{}).micro != held_change) {
    return "Held is what all disputes hold";
  }
  if (held != credits::held_total(after, credits::HoldReason::dispute_bond).micro) {
    return "what disputes hold is what is held for disputes";
  }
  for (const auto& [account, change] : claims) {
    if (frozen(after, account) - frozen(view.before_state(), account) != change) {
      return "frozen stake is what disputes claim";
    }
  }
  view.for_each(kVerifierPay, [&](const auto&, const auto&, const auto& is) {
    if (is && is->from_pool > is->from_stake) found = "the pool adds no more than a stake paid";
  });
  if (found) return found;
  if (auto line = line_violation(view)) return line;
  return kDeadlines.find_violation(view);
}

}  // namespace tally::disputes
