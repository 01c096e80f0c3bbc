// Who pays what when a dispute ends, as a pure function.
//
// A verdict. The loser's bonds pay, in this order: the fee to each vote equal to the verdict, the
// award to the winner, the burn; the rest goes back. The winner's bonds go back whole. A verifier
// that accepted and then stayed silent, or voted otherwise, loses its fine, burned.
// An appeal that the appellant loses adds the appeal's bond to the loser's, and to what it owes
// appeal_factor awards and burns more. An appeal without majority leaves the verdict: its panel is
// paid for revealing, by the appellant, and nobody in it is fined.
// A verdict that an appeal overturned: the loser is the other side, whose bond is the first one
// alone. The verifiers that had decided lose the higher fine; that pays what the loser's bond lacks
// of fees and award before the rest of it is burned.
// Inconclusive: the fee to each vote, half from each side, an odd µCC from the challenger; no fine.
//
// What a worker's stake lacks of the fees comes from the reward pool, as far as the worker's
// earlier disputes allow: each adds the fees that its stake paid, at most seats_first times what
// was burned of it. A stake that is used up by fees adds nothing, so whoever owns worker,
// challenger and every verifier draws nothing by a price, and a multiple of what it has burned in
// other disputes. What is lacking then is shared: equal parts, rounded down; the remainder stays in
// the pool or is burned.
#pragma once

#include <vector>

#include "modules/disputes/config.hpp"
#include "modules/disputes/rules.hpp"

namespace tally::disputes {

// What the reward pool may add.
struct PoolLimit {
  Balance balance;       // what it has and the epoch's cap leaves
  Balance worker_extra;  // what the worker's earlier disputes left of its limit
};

struct SeatAmount {
  std::size_t seat;
  Balance amount;
  friend bool operator==(const SeatAmount&, const SeatAmount&) = default;
};

// Who gives what and who gets what; both sides have the same sum:
//   from_challenger + from_worker + from_pool + Σ fines = Σ fees + award + burned
// What is not taken of bond, stake and appeal bond goes back to whom it belongs.
struct Plan {
  Verdict verdict;
  Balance from_challenger;
  Balance from_worker;
  Balance from_pool;
  std::vector<SeatAmount> fines;
  std::vector<SeatAmount> fees;
  Balance award;
  Balance burned;
  Balance matched;  // of the fees from the worker's stake, what the pool may add to later ones
  friend bool operator==(const Plan&, const Plan&) = default;
};

// Of a dispute whose votes are all in; `frozen` of every seat is what can be taken from it.
Plan plan_payouts(const Dispute& dispute, const Config& config, const PoolLimit& limit);

// What a side has bound in a dispute that has not ended.
Balance bound_by(const Dispute& dispute, Party party);

// The verifiers that lose the higher fine.
std::vector<std::size_t> overturned_seats(const Dispute& dispute);

}  // namespace tally::disputes
