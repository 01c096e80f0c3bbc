#include "modules/disputes/ending.hpp"

#include "modules/credits/api.hpp"
#include "modules/disputes/events.hpp"
#include "modules/disputes/payout.hpp"
#include "modules/disputes/progress.hpp"
#include "modules/workers/api.hpp"
#include "primitives/assert.hpp"

namespace tally::disputes {
namespace {

using credits::BurnReason;
using credits::HoldReason;

Balance must(const Result<Balance, ArithmeticError>& amount) {
  TALLY_ASSERT(amount.ok());
  return *amount;
}

// Where a payout's money comes from.
struct Source {
  enum class Kind : std::uint8_t { pool, challenger, frozen } kind;
  AccountId account;
  Balance left;
};

// The sources in the order in which they are used up. The pool's part is never more than the fees,
// which are paid first, so that nothing else comes from it.
class Purses {
 public:
  Purses(Context& ctx, const Dispute& dispute, const Plan& plan) : ctx_(ctx) {
    sources_.push_back({Source::Kind::pool, credits::reward_pool_account(), plan.from_pool});
    sources_.push_back({Source::Kind::challenger, dispute.challenger, plan.from_challenger});
    sources_.push_back({Source::Kind::frozen, dispute.worker, plan.from_worker});
    for (const SeatAmount& fine : plan.fines) {
      sources_.push_back({Source::Kind::frozen, dispute.seats[fine.seat].verifier, fine.amount});
    }
  }

  void pay(const AccountId& to, Balance amount) {
    take(amount, [&](const Source& from, Balance part) { pay_part(from, to, part); });
  }
  void burn(Balance amount) {
    take(amount, [&](const Source& from, Balance part) { burn_part(from, part); });
  }

 private:
  template <class Use>
  void take(Balance amount, Use&& use) {
    while (!amount.is_zero()) {
      TALLY_ASSERT(next_ < sources_.size());  // the plan balances
      Source& from = sources_[next_];
      const Balance part = min(amount, from.left);
      if (!part.is_zero()) use(from, part);
      from.left = must(checked_sub(from.left, part));
      amount = must(checked_sub(amount, part));
      if (from.left.is_zero()) ++next_;
    }
  }

  void pay_part(const Source& from, const AccountId& to, Balance part) {
    switch (from.kind) {
      case Source::Kind::pool: {
        const Balance paid = credits::pay_from_pool(ctx_, to, part);
        TALLY_ASSERT(paid == part);  // verifiers are alive: their stake is held
        return;
      }
      case Source::Kind::challenger:
        return credits::pay_held(ctx_, {from.account, HoldReason::dispute_bond, to, part});
      case Source::Kind::frozen:
        return workers::pay_from_frozen(ctx_, from.account, to, part);
    }
  }
  void burn_part(const Source& from, Balance part) {
    switch (from.kind) {
      case Source::Kind::pool:
        TALLY_ASSERT(false);
        return;
      case Source::Kind::challenger:
        return credits::burn_held(ctx_, from.account, HoldReason::dispute_bond, part,
                                  BurnReason::dispute);
      case Source::Kind::frozen:
        return workers::burn_frozen(ctx_, from.account, part);
    }
  }

  Context& ctx_;
  std::vector<Source> sources_;
  std::size_t next_ = 0;
};

// The higher fine of verifiers that an appeal overturned, as far as their own stake goes.
void freeze_overturned(Context& ctx, Dispute& dispute) {
  const Config& config = ctx.config<Config>();
  for (const std::size_t i : overturned_seats(dispute)) {
    Seat& seat = dispute.seats[i];
    if (seat.frozen >= config.overturned_fine) continue;
    const Balance more = must(checked_sub(config.overturned_fine, seat.frozen));
    seat.frozen = must(checked_add(seat.frozen, workers::freeze_up_to(ctx, seat.verifier, more)));
  }
}

PoolLimit pool_limit(const Context& ctx, const Dispute& dispute) {
  const VerifierPay pay = kVerifierPay.get(ctx.state, dispute.worker);
  const Balance has = credits::free_balance(ctx.state, credits::reward_pool_account());
  return {min(has, workers::epoch_room(ctx)), must(checked_sub(pay.from_stake, pay.from_pool))};
}

// For the limits of what the pool adds: the epoch's, and the worker's over all of its disputes.
void count_pay(Context& ctx, const Dispute& dispute, const Plan& plan) {
  if (plan.matched.is_zero() && plan.from_pool.is_zero()) return;
  workers::take_epoch_room(ctx, plan.from_pool);
  VerifierPay pay = kVerifierPay.get(ctx.state, dispute.worker);
  pay.from_stake = must(checked_add(pay.from_stake, plan.matched));
  pay.from_pool = must(checked_add(pay.from_pool, plan.from_pool));
  kVerifierPay.put(ctx.state, dispute.worker, pay);
}

Payouts move_money(Context& ctx, DisputeNumber number, const Dispute& dispute, const Plan& plan) {
  Payouts out;
  out.award = plan.award;
  out.burned = plan.burned;
  out.from_pool = plan.from_pool;
  Purses purses(ctx, dispute, plan);
  for (const SeatAmount& fee : plan.fees) {
    const AccountId& verifier = dispute.seats[fee.seat].verifier;
    purses.pay(verifier, fee.amount);
    out.fees = must(checked_add(out.fees, fee.amount));
    ctx.events.emit(kModule, VerifierPaid{number, verifier, fee.amount});
  }
  const bool to_worker = plan.verdict.outcome != Outcome::rejected;
  purses.pay(to_worker ? dispute.worker : dispute.challenger, plan.award);
  purses.burn(plan.burned);
  for (const SeatAmount& fine : plan.fines) {
    ctx.events.emit(kModule, VerifierFined{number, dispute.seats[fine.seat].verifier, fine.amount});
  }
  return out;
}

// What is still bound goes back to whom it belongs.
void release_rest(Context& ctx, const Dispute& dispute, const Plan& plan, Payouts& payouts) {
  const Balance held = bound_by(dispute, Party::challenger);
  payouts.to_challenger = must(checked_sub(held, plan.from_challenger));
  credits::release(ctx, dispute.challenger, HoldReason::dispute_bond, payouts.to_challenger);
  kHeld.put(ctx.state, must(checked_sub(kHeld.get(ctx.state), held)));
  payouts.to_worker = must(checked_sub(bound_by(dispute, Party::worker), plan.from_worker));
  workers::unfreeze(ctx, dispute.worker, payouts.to_worker);
  for (std::size_t i = 0; i < dispute.seats.size(); ++i) {
    Balance rest = dispute.seats[i].frozen;
    for (const SeatAmount& fine : plan.fines) {
      if (fine.seat == i) rest = must(checked_sub(rest, fine.amount));
    }
    workers::unfreeze(ctx, dispute.seats[i].verifier, rest);
  }
}

void judge(Context& ctx, const Dispute& dispute, Outcome outcome) {
  const Config& config = ctx.config<Config>();
  switch (outcome) {
    case Outcome::accepted:
      workers::count_done(ctx, dispute.worker);
      workers::add_penalty(ctx, dispute.challenger, config.challenger_penalty);
      return;
    case Outcome::rejected:
      workers::count_failed(ctx, dispute.worker);
      workers::ban(ctx, dispute.worker, config.ban);
      return;
    case Outcome::unavailable:
    case Outcome::inconclusive:
      return;
  }
}

void close_receipt(Context& ctx, const Dispute& dispute, Outcome outcome) {
  auto entry = kReceipts.at(ctx.state, dispute.receipt_hash);
  DisputedReceipt receipt = entry.get();
  receipt.running = false;
  const std::uint64_t took = ctx.block.header_time.value - dispute.opened_at.value;
  receipt.paused = DurationMs(receipt.paused.value + took);
  receipt.decided = outcome != Outcome::inconclusive;
  if (!receipt.decided) TALLY_ASSERT(receipt.tried.push_back(dispute.challenger));
  entry.put(receipt);
}

}  // namespace

void finish(Context& ctx, DisputeNumber number, Dispute dispute) {
  const Config& config = ctx.config<Config>();
  freeze_overturned(ctx, dispute);
  const Plan plan = plan_payouts(dispute, config, pool_limit(ctx, dispute));
  count_pay(ctx, dispute, plan);
  Payouts payouts = move_money(ctx, number, dispute, plan);
  release_rest(ctx, dispute, plan, payouts);
  judge(ctx, dispute, plan.verdict.outcome);
  close_receipt(ctx, dispute, plan.verdict.outcome);
  kCases.erase(ctx.state, number);
  dispute.phase = Phase::ended;
  dispute.verdict = plan.verdict;
  dispute.payouts = payouts;
  // Until the receipt is too old whatever its clock says.
  dispute.clock.started = ctx.block.time;
  dispute.clock.window =
      DurationMs(config.challenge_window.value + 2 * config.clock_tolerance.value);
  dispute.clock.deadline = TimestampMs(ctx.block.time.value + dispute.clock.window.value);
  ctx.events.emit(kModule, Ended{number, plan.verdict, payouts});
  put_and_wake(ctx, number, dispute, dispute.clock.deadline);
}

void forget(Context& ctx, DisputeNumber number, const Dispute& dispute) {
  const auto receipt = kReceipts.find(ctx.state, dispute.receipt_hash);
  if (receipt && receipt->last == number) kReceipts.erase(ctx.state, dispute.receipt_hash);
  kPools.erase(ctx.state, number);
  kDisputes.erase(ctx.state, number);
}

}  // namespace tally::disputes
