#include "modules/disputes/payout.hpp"

#include <algorithm>

#include "primitives/assert.hpp"

namespace tally::disputes {
namespace {

Balance must(const Result<Balance, ArithmeticError>& amount) {
  TALLY_ASSERT(amount.ok());
  return *amount;
}
Balance sum(Balance a, Balance b) {
  return must(checked_add(a, b));
}
Balance less(Balance a, Balance b) {
  return must(checked_sub(a, b));
}
// Takes at most `wanted` out of `purse`.
Balance take(Balance& purse, Balance wanted) {
  const Balance taken = min(purse, wanted);
  purse = less(purse, taken);
  return taken;
}
Balance total(const std::vector<SeatAmount>& amounts) {
  Balance out;
  for (const SeatAmount& amount : amounts) out = sum(out, amount.amount);
  return out;
}

bool took_part(const Seat& seat) {
  return seat.state == SeatState::accepted || seat.state == SeatState::committed ||
         seat.state == SeatState::revealed;
}

// Divides `own` and the pool's part among the votes; what does not divide stays in the pool as far
// as it came from there, and is burned else.
void pay_votes(Plan& plan, const std::vector<std::size_t>& votes, Balance own) {
  const std::size_t count = std::max<std::size_t>(votes.size(), 1);
  const Balance there_is = sum(own, plan.from_pool);
  const Balance each(there_is.micro / count);
  Balance rest(there_is.micro % count);
  if (votes.empty()) rest = there_is;
  for (const std::size_t seat : votes) plan.fees.push_back({seat, each});
  const Balance kept = min(rest, plan.from_pool);
  plan.from_pool = less(plan.from_pool, kept);
  plan.burned = sum(plan.burned, less(rest, kept));
}

Plan plan_inconclusive(const Dispute& dispute, const PoolLimit& limit) {
  Plan plan;
  plan.verdict = {Outcome::inconclusive, std::nullopt};
  std::vector<std::size_t> votes;
  for (std::size_t i = 0; i < dispute.seats.size(); ++i) {
    if (dispute.seats[i].vote) votes.push_back(i);
  }
  const Balance due = must(checked_mul(dispute.fee, votes.size()));
  const Balance half(due.micro / 2);
  plan.from_challenger = min(less(due, half), dispute.bond);
  plan.from_worker = min(half, dispute.stake);
  plan.from_pool = min(less(half, plan.from_worker), min(limit.balance, limit.worker_extra));
  pay_votes(plan, votes, sum(plan.from_challenger, plan.from_worker));
  return plan;
}

// The panel of an appeal that came to no majority.
bool is_undecided_panel(const Dispute& dispute, const Seat& seat) {
  return seat.round == Round::appeal && !panel_verdict(dispute);
}

std::vector<std::size_t> paid_votes(const Dispute& dispute, const Verdict& verdict) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < dispute.seats.size(); ++i) {
    const Seat& seat = dispute.seats[i];
    if (!seat.vote) continue;
    if (is_undecided_panel(dispute, seat) || seat.vote == verdict.vote) out.push_back(i);
  }
  return out;
}

std::vector<SeatAmount> fines(const Dispute& dispute, const Verdict& verdict) {
  std::vector<SeatAmount> out;
  for (std::size_t i = 0; i < dispute.seats.size(); ++i) {
    const Seat& seat = dispute.seats[i];
    if (!took_part(seat) || is_undecided_panel(dispute, seat)) continue;
    if (seat.vote != verdict.vote && !seat.frozen.is_zero()) out.push_back({i, seat.frozen});
  }
  return out;
}

Plan plan_verdict(const Dispute& dispute, const Config& config, const PoolLimit& limit) {
  Plan plan;
  plan.verdict = final_verdict(dispute);
  const Party loser = loser_of(plan.verdict.outcome);
  const bool worker_loses = loser == Party::worker;
  const bool lost_appeal = dispute.appeal && dispute.appeal->by == loser;
  const std::uint64_t times =
      1 + (lost_appeal && panel_verdict(dispute) ? config.appeal_factor : 0);

  const auto votes = paid_votes(dispute, plan.verdict);
  plan.fines = fines(dispute, plan.verdict);
  Balance overturned;
  for (const std::size_t seat : overturned_seats(dispute)) {
    overturned = sum(overturned, dispute.seats[seat].frozen);
  }
  Balance burned = less(total(plan.fines), overturned);

  Balance purse = bound_by(dispute, loser);
  const Balance bound = purse;
  Balance lacking = must(checked_mul(dispute.fee, votes.size()));
  const Balance own_fees = take(purse, lacking);
  lacking = less(lacking, own_fees);
  const Balance fined_fees = take(overturned, lacking);
  lacking = less(lacking, fined_fees);
  if (worker_loses) plan.from_pool = min(lacking, min(limit.balance, limit.worker_extra));

  const Balance award = must(checked_mul(config.award, times));
  plan.award = take(purse, award);
  plan.award = sum(plan.award, take(overturned, less(award, plan.award)));
  const Balance lost = take(purse, must(checked_mul(config.burn, times)));
  if (worker_loses) plan.matched = min(own_fees, must(checked_mul(lost, config.seats_first)));
  plan.burned = sum(sum(burned, lost), overturned);
  (worker_loses ? plan.from_worker : plan.from_challenger) = less(bound, purse);
  pay_votes(plan, votes, sum(own_fees, fined_fees));
  return plan;
}

}  // namespace

Balance bound_by(const Dispute& dispute, Party party) {
  const Balance first = party == Party::challenger ? dispute.bond : dispute.stake;
  if (!dispute.appeal || dispute.appeal->by != party) return first;
  return sum(first, dispute.appeal->bond);
}

std::vector<std::size_t> overturned_seats(const Dispute& dispute) {
  std::vector<std::size_t> out;
  if (!is_overturned(dispute)) return out;
  for (std::size_t i = 0; i < dispute.seats.size(); ++i) {
    const Seat& seat = dispute.seats[i];
    if (seat.round != Round::appeal && seat.vote == dispute.verdict->vote) out.push_back(i);
  }
  return out;
}

Plan plan_payouts(const Dispute& dispute, const Config& config, const PoolLimit& limit) {
  const Plan plan = final_verdict(dispute).outcome == Outcome::inconclusive
                        ? plan_inconclusive(dispute, limit)
                        : plan_verdict(dispute, config, limit);
  const Balance in =
      sum(sum(plan.from_challenger, plan.from_worker), sum(plan.from_pool, total(plan.fines)));
  TALLY_ASSERT(in == sum(sum(total(plan.fees), plan.award), plan.burned));
  return plan;
}

}  // namespace tally::disputes
