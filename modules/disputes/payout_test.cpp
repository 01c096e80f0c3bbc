// Every table of payouts balances, for all outcomes, counts and parameters.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <set>

#include "modules/disputes/payout.hpp"

namespace tally::disputes {
namespace {

enum class Says : std::uint8_t { vacant, silent, workers, truth, other, unavailable };
constexpr std::size_t kSays = 6;

Hash hash_of(Says says) {
  Hash out;
  out.bytes.fill(static_cast<std::uint8_t>(says));
  return out;
}

Seat seat_of(Says says, Round round, const Config& config) {
  Seat seat;
  seat.round = round;
  seat.frozen = config.fine;
  switch (says) {
    case Says::vacant:
      seat.state = SeatState::vacant;
      seat.frozen = Balance{};
      break;
    case Says::silent:
      seat.state = SeatState::committed;
      break;
    case Says::unavailable:
      seat.state = SeatState::revealed;
      seat.vote = UnavailableVote{};
      break;
    case Says::workers:
    case Says::truth:
    case Says::other:
      seat.state = SeatState::revealed;
      seat.vote = OutputVote{hash_of(says)};
      break;
  }
  return seat;
}

// A dispute whose votes are in, as the chain would have it at its end.
struct Ballots {
  std::vector<Says> first;
  std::vector<Says> panel;  // empty: no appeal
  Balance fee;
  Balance stake;
  bool input_inline = false;
};
Dispute dispute_of(const Ballots& ballots, const Config& config) {
  Dispute out;
  out.output_hash = hash_of(Says::workers);
  out.fee = ballots.fee;
  out.bond = Balance(config.award.micro + config.burn.micro + config.bond_fees * out.fee.micro);
  out.stake = min(ballots.stake, out.bond);
  out.input_inline = ballots.input_inline;
  out.round = ballots.first.size() <= config.seats_first ? Round::first : Round::second;
  for (std::size_t i = 0; i < ballots.first.size(); ++i) {
    const Round round = i < config.seats_first ? Round::first : Round::second;
    TALLY_ASSERT(out.seats.push_back(seat_of(ballots.first[i], round, config)));
  }
  out.verdict = first_instance(out, config);
  if (!out.verdict || ballots.panel.empty()) return out;
  Appeal appeal;
  appeal.by = loser_of(out.verdict->outcome);
  appeal.bond = Balance(out.bond.micro * config.appeal_factor);
  out.appeal = appeal;
  out.round = Round::appeal;
  for (const Says says : ballots.panel) {
    TALLY_ASSERT(out.seats.push_back(seat_of(says, Round::appeal, config)));
  }
  for (const std::size_t seat : overturned_seats(out)) {
    out.seats[seat].frozen = config.overturned_fine;
  }
  return out;
}

u128 total(const std::vector<SeatAmount>& amounts) {
  u128 out = 0;
  for (const SeatAmount& amount : amounts) out += amount.amount.micro;
  return out;
}

// What must hold of any plan; nothing, or what does not.
std::string fault(const Dispute& dispute, const Config& config, const PoolLimit& limit) {
  const Plan plan = plan_payouts(dispute, config, limit);
  const u128 in = plan.from_challenger.micro + plan.from_worker.micro + plan.from_pool.micro +
                  total(plan.fines);
  if (in != total(plan.fees) + plan.award.micro + plan.burned.micro) return "it does not balance";
  if (plan.from_challenger > bound_by(dispute, Party::challenger)) return "more than the bond";
  if (plan.from_worker > bound_by(dispute, Party::worker)) return "more than the stake";
  if (plan.from_pool > limit.balance) return "more than the pool has";
  if (plan.from_pool.micro > total(plan.fees)) return "the pool pays nothing but fees";
  if (plan.from_pool > limit.worker_extra) return "the pool pays more than earlier losses matched";
  if (plan.matched > plan.from_worker) return "more is matched than the stake paid";
  if (plan.matched.micro > config.seats_first * plan.burned.micro) {
    return "more is matched than was burned for";
  }

  std::set<std::size_t> paid;
  for (const SeatAmount& fee : plan.fees) {
    if (!paid.insert(fee.seat).second) return "a vote is paid twice";
    if (fee.amount > dispute.fee) return "a vote is paid more than the fee";
    if (fee.amount != plan.fees.front().amount) return "votes are paid alike";
    if (!dispute.seats[fee.seat].vote) return "silence is paid";
  }
  const bool conclusive = plan.verdict.outcome != Outcome::inconclusive;
  for (const SeatAmount& fine : plan.fines) {
    if (!conclusive) return "an inconclusive dispute fines nobody";
    if (paid.count(fine.seat) != 0) return "a vote is paid and fined";
    if (fine.amount > dispute.seats[fine.seat].frozen) return "a fine of more than was frozen";
    if (dispute.seats[fine.seat].state == SeatState::vacant) return "an empty seat is fined";
    if (dispute.seats[fine.seat].vote == plan.verdict.vote) return "the verdict is fined";
  }
  if (!conclusive) {
    if (!plan.award.is_zero()) return "nobody wins an inconclusive dispute";
    const u128 half = u128{paid.size()} * dispute.fee.micro / 2;
    if (plan.from_worker != min(Balance(half), dispute.stake)) return "the worker pays half";
    if (plan.from_challenger.micro != u128{paid.size()} * dispute.fee.micro - half) {
      return "the challenger pays half and the odd one";
    }
    return {};
  }
  const Party loser = loser_of(plan.verdict.outcome);
  const Balance winners = loser == Party::worker ? plan.from_challenger : plan.from_worker;
  if (!winners.is_zero()) return "the winner pays";
  const bool short_of_fees = !plan.fees.empty() && plan.fees.front().amount < dispute.fee;
  if (short_of_fees && !plan.award.is_zero()) return "fees come before the award";
  return {};
}

// Every combination of what three, or three and four, verifiers say, with fees and stakes around
// every edge. Shown to fail by taking half of an odd sum, rounded down, from the challenger, and by
// burning what does not divide of the pool's part.
TEST_CASE("payouts: exhaustive for small disputes") {
  Config config = main_config();
  config.award = Balance(10);
  config.burn = Balance(1);
  config.fine = Balance(5);
  config.overturned_fine = Balance(9);
  const std::vector<u128> fees{1, 2, 3};
  const std::vector<u128> stakes{0, 1, 2, 4, 5, 13, 14, 32};
  std::size_t cases = 0;
  const auto check = [&](const std::vector<Says>& says) {
    for (const u128 fee : fees) {
      for (const u128 stake : stakes) {
        for (const u128 pool : {0, 1, 100}) {
          for (const bool input_inline : {false, true}) {
            const Dispute dispute =
                dispute_of({says, {}, Balance(fee), Balance(stake), input_inline}, config);
            const std::string found =
                fault(dispute, config, {Balance(pool), Balance(stake == 2 ? 3 : 0)});
            if (!found.empty()) FAIL(found);
            ++cases;
          }
        }
      }
    }
  };
  for (std::size_t code = 0; code < kSays * kSays * kSays; ++code) {
    check({Says(code % kSays), Says(code / kSays % kSays), Says(code / kSays / kSays)});
  }
  // Of seven the order within a round does not matter: one representative of each.
  std::vector<Says> seven(7, Says::vacant);
  const auto rising = [&](auto&& self, std::size_t place, std::size_t from) -> void {
    if (place == 7) return check(seven);
    const std::size_t first = place == 3 ? 0 : from;
    for (std::size_t says = first; says < kSays; ++says) {
      seven[place] = Says(says);
      self(self, place + 1, says);
    }
  };
  rising(rising, 0, 0);
  CHECK(cases > 500'000);
}

std::vector<Says> some_votes(std::size_t count) {
  // Mostly the truth or the worker's, so that there are verdicts to appeal against.
  std::vector<Says> out;
  const auto bias = *rc::gen::inRange(0, 3);
  for (std::size_t i = 0; i < count; ++i) {
    const auto pick = *rc::gen::inRange(0, 12);
    out.push_back(pick < 6    ? Says(pick)
                  : bias == 0 ? Says::truth
                  : bias == 1 ? Says::workers
                              : Says::unavailable);
  }
  return out;
}

TEST_CASE("payouts: random disputes, appeals and parameters") {
  CHECK(rc::check("they balance, whatever the numbers", [] {
    Config config = main_config();
    const auto amount = [](int digits) {
      return Balance(*rc::gen::inRange<std::uint64_t>(0, 1ull << *rc::gen::inRange(1, digits)));
    };
    config.award = amount(40);
    config.burn = amount(40);
    config.fine = Balance(amount(30).micro + 1);
    config.overturned_fine = Balance(config.fine.micro + amount(30).micro);
    config.appeal_factor = *rc::gen::inRange(1u, 4u);
    Ballots ballots;
    ballots.first = some_votes(*rc::gen::element(3, 7));
    if (*rc::gen::arbitrary<bool>()) {
      ballots.panel = some_votes(static_cast<std::size_t>(*rc::gen::inRange(3, 22)));
    }
    ballots.fee = Balance(amount(50).micro + 1);
    ballots.stake = amount(52);
    ballots.input_inline = *rc::gen::arbitrary<bool>();
    const Dispute dispute = dispute_of(ballots, config);
    const std::string found = fault(dispute, config, {amount(50), amount(30)});
    if (!found.empty()) RC_FAIL(found);
  }));
}

// The attack that the limit of the pool's part is for: worker and challenger are one person, who
// also owns a part of the verifiers. Over all divisions of a panel's seats it loses as long as less
// than half of the paid votes are its own.
TEST_CASE("payouts: the pool never pays for a dispute with oneself") {
  CHECK(rc::check("two accounts of one person lose together", [] {
    const Config config = main_config();
    Ballots ballots;
    ballots.first = std::vector<Says>(3, *rc::gen::element(Says::truth, Says::workers));
    if (*rc::gen::arbitrary<bool>()) {
      ballots.panel = std::vector<Says>(21, *rc::gen::element(Says::truth, Says::workers));
    }
    ballots.fee = Balance(*rc::gen::inRange<std::uint64_t>(1, 1'000'000) * kCredit.micro);
    ballots.stake = Balance(*rc::gen::inRange<std::uint64_t>(0, 1'000) * kCredit.micro);
    const Dispute dispute = dispute_of(ballots, config);
    const Plan plan =
        plan_payouts(dispute, config, {Balance(u128{1'000'000} * kCredit.micro), Balance{}});
    const u128 own_votes = plan.fees.empty() ? 0 : (plan.fees.size() - 1) / 2;
    const u128 earned =
        plan.award.micro + own_votes * (plan.fees.empty() ? 0 : plan.fees[0].amount.micro);
    RC_ASSERT(earned <= plan.from_challenger.micro + plan.from_worker.micro + total(plan.fines));
  }));
}

TEST_CASE("payouts: what stakes are bound follows from the receipt") {
  const Config config = main_config();
  task::Receipt receipt;
  receipt.type = task::TaskType::prime_calculation;
  receipt.price = kMicro;
  CHECK(*stakes_of(receipt, config) == Stakes{kCredit, Balance(18 * kCredit.micro),
                                              Balance(36 * kCredit.micro),
                                              DurationMs(4 * 3'600'000)});
  receipt.metered_units = 2 * 1'800'000'000'000;  // 2 CC of the reference benchmark
  CHECK(stakes_of(receipt, config)->bond == Balance(25 * kCredit.micro));
  CHECK(stakes_of(receipt, config)->commit_window == DurationMs(8 * 3'600'000));
  receipt.price = Balance(3 * kCredit.micro);
  CHECK(stakes_of(receipt, config)->fee == receipt.price);
  receipt.price = Balance(u128{1} << 100);
  CHECK(stakes_of(receipt, config)->commit_window == config.commit_max);
  receipt.price = Balance((u128{1} << 100) + 1);
  CHECK_FALSE(stakes_of(receipt, config).has_value());
}

}  // namespace
}  // namespace tally::disputes
