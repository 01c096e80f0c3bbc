#include "modules/workers/stake.hpp"

#include <utility>
#include <vector>

#include "primitives/assert.hpp"

namespace tally::workers {

namespace {

Balance share(Balance amount, std::uint8_t percent) {
  const auto part = mul_div(amount, percent, 100);
  TALLY_ASSERT(part.ok());
  return *part;
}

// Takes up to `amount` from the parts, the soonest first; returns what was taken.
Balance take_unbonding(UnbondingList& parts, Balance amount) {
  std::vector<Unbonding> kept;
  Balance taken;
  for (const Unbonding& part : parts) {
    const Balance take = min(part.amount, rest(amount, taken));
    taken = sum(taken, take);
    if (take < part.amount) kept.push_back({rest(part.amount, take), part.until});
  }
  parts = *UnbondingList::from(std::move(kept));
  return taken;
}

}  // namespace

Balance sum(Balance a, Balance b) {
  const auto result = checked_add(a, b);
  TALLY_ASSERT(result.ok());
  return *result;
}

Balance rest(Balance a, Balance b) {
  const auto result = checked_sub(a, b);
  TALLY_ASSERT(result.ok());
  return *result;
}

Balance total(const UnbondingList& parts) {
  Balance all;
  for (const Unbonding& part : parts) all = sum(all, part.amount);
  return all;
}

Balance total(const Delegation& delegation) {
  return sum(delegation.bonded, total(delegation.unbonding));
}

bool add_unbonding(UnbondingList& parts, const Unbonding& part) {
  if (!parts.empty()) {
    Unbonding& last = parts[parts.size() - 1];
    TALLY_ASSERT(last.until <= part.until);
    if (last.until == part.until) {
      last.amount = sum(last.amount, part.amount);
      return true;
    }
  }
  return parts.push_back(part);
}

Balance take_due(UnbondingList& parts, TimestampMs now, Balance limit) {
  Balance due;
  for (const Unbonding& part : parts) {
    if (part.until <= now) due = sum(due, part.amount);
  }
  return take_unbonding(parts, min(due, limit));
}

void take_own(Worker& worker, Balance amount) {
  const Balance bonded = min(worker.bonded, amount);
  worker.bonded = rest(worker.bonded, bonded);
  const Balance others = rest(amount, bonded);
  TALLY_ASSERT(take_unbonding(worker.unbonding, others) == others);
}

Balance take_delegated(Delegation& delegation, Balance amount) {
  const Balance bonded = min(delegation.bonded, amount);
  delegation.bonded = rest(delegation.bonded, bonded);
  const Balance others = rest(amount, bonded);
  TALLY_ASSERT(take_unbonding(delegation.unbonding, others) == others);
  return bonded;
}

Balance freeze(Worker& worker, Balance amount) {
  const Balance part = min(amount, worker.unfrozen());
  worker.frozen = sum(worker.frozen, part);
  return part;
}

Balance thaw(Worker& worker, Balance amount) {
  worker.frozen = rest(worker.frozen, amount);
  const Balance burned = min(worker.slash_due, amount);
  worker.slash_due = rest(worker.slash_due, burned);
  take_own(worker, burned);
  return burned;
}

void take_frozen(Worker& worker, Balance amount) {
  worker.frozen = rest(worker.frozen, amount);
  take_own(worker, amount);
  // The dispute came first; a slash gets what it leaves.
  worker.slash_due = min(worker.slash_due, worker.frozen);
}

OwnSlash slash_own(Worker& worker, std::uint8_t percent) {
  const Balance wanted = share(rest(worker.own(), worker.slash_due), percent);
  const Balance now = min(wanted, worker.unfrozen());
  const Balance due = rest(wanted, now);
  take_own(worker, now);
  worker.slash_due = sum(worker.slash_due, due);
  return {now, due};
}

DelegatedSlash slash_delegated(Delegation& delegation, std::uint8_t percent) {
  const Balance all = share(total(delegation), percent);
  return {all, take_delegated(delegation, all)};
}

}  // namespace tally::workers
