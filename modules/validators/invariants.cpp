#include "modules/validators/invariants.hpp"

#include <algorithm>
#include <map>

#include "modules/credits/api.hpp"
#include "modules/validators/storage.hpp"

namespace tally::validators {
namespace {

// Differences are taken modulo 2^128 or 2^32: they are equal there exactly when they are equal.
struct PerValidator {
  u128 delegated = 0;            // the record's sum less that of the delegations
  std::uint32_t delegators = 0;  // the list's length less the number of delegations
};

Violation candidate_violation(const std::optional<Candidate>& was,
                              const std::optional<Candidate>& is, const Config& config) {
  if (was && is && is->registered != was->registered) return "a bond is registered once";
  if (was && is && is->last_named < was->last_named) return "last_named never falls";
  if (is && (is->standing == Standing::leaving) != is->bonded.is_zero()) {
    return "who has nothing bonded is leaving";
  }
  if (is && is->standing == Standing::bonded && is->bonded < config.bond_min) {
    return "a validator that may be named has the least bond";
  }
  return std::nullopt;
}

bool strictly_ascending(const std::vector<AccountId>& accounts) {
  return std::adjacent_find(accounts.begin(), accounts.end(), [](const auto& a, const auto& b) {
           return !(a < b);
         }) == accounts.end();
}

// 1, 2, 3: what is bound.
Violation bound_violation(const ChangeView& view, const StateReader& after, const Config& config) {
  u128 bound = 0;
  std::uint32_t listed = 0;
  std::map<AccountId, PerValidator> sums;
  Violation found;
  view.for_each(kCandidates, [&](const auto& keys, const auto& was, const auto& is) {
    const Candidate before = was.value_or(Candidate{});
    const Candidate now = is.value_or(Candidate{});
    bound += now.own().micro - before.own().micro;
    sums[std::get<0>(keys)].delegated += now.delegated.micro - before.delegated.micro;
    listed += std::uint32_t{!now.bonded.is_zero()} - std::uint32_t{!before.bonded.is_zero()};
    if (!found) found = candidate_violation(was, is, config);
  });
  view.for_each(kDelegations, [&](const auto& keys, const auto& was, const auto& is) {
    const Delegation before = was.value_or(Delegation{});
    const Delegation now = is.value_or(Delegation{});
    PerValidator& sum = sums[std::get<0>(keys)];
    bound += now.held().micro - before.held().micro;
    sum.delegated -= now.bonded.micro - before.bonded.micro;
    sum.delegators -= std::uint32_t{is.has_value()} - std::uint32_t{was.has_value()};
  });
  view.for_each(kDelegators, [&](const auto& keys, const auto& was, const auto& is) {
    const auto length = [](const auto& list) {
      return static_cast<std::uint32_t>(list ? list->size() : 0);
    };
    sums[std::get<0>(keys)].delegators += length(is) - length(was);
    if (is && !strictly_ascending(is->items())) found = "a list of delegators ascends";
  });
  if (found) return found;
  for (const auto& [validator, sum] : sums) {
    if (sum.delegated != 0) return "what is delegated is the sum of the delegations";
    if (sum.delegators != 0) return "the list of delegators names every delegation";
  }
  const Balance total = view.after(kBound).value_or(Balance{});
  if (total.micro - view.before(kBound).value_or(Balance{}).micro != bound) {
    return "Bound is what all validators and delegators have bound";
  }
  if (total != credits::held_total(after, credits::HoldReason::validator_bond)) {
    return "what is bound is what is held for validators";
  }
  const auto list = view.after(kCandidateList).value_or(BoundedVec<AccountId, kMaxCandidates>{});
  const auto before = view.before(kCandidateList).value_or(BoundedVec<AccountId, kMaxCandidates>{});
  if (static_cast<std::uint32_t>(list.size()) - static_cast<std::uint32_t>(before.size()) !=
          listed ||
      !strictly_ascending(list.items())) {
    return "the list of candidates names every bond";
  }
  return std::nullopt;
}

// 4: keys.
Violation keys_violation(const ChangeView& view, const StateReader& after) {
  Violation found;
  view.for_each(kCandidates, [&](const auto& keys, const auto&, const auto& is) {
    if (!is) return;
    const AccountId& account = std::get<0>(keys);
    if (kConsensusKeys.find(after, is->consensus_key) != account ||
        kVrfKeys.find(after, is->vrf_key) != account) {
      found = "a validator's keys are its own";
    }
  });
  return found;
}

// 5, 6: sets.
Violation sets_violation(const ChangeView& view) {
  Violation found;
  view.for_each(kSets, [&](const auto&, const auto& was, const auto& is) {
    if (is && !is->set.check().ok()) found = "a set is never empty and has no key twice";
    if (was && is && !(was->set == is->set)) found = "a set that was named does not change";
  });
  if (found) return found;
  const EpochInfo was = view.before(kEpoch).value_or(EpochInfo{});
  const EpochInfo is = view.after(kEpoch).value_or(EpochInfo{});
  if (is.epoch != was.epoch && was.epoch.value != 0 && is.epoch != was.epoch.next()) {
    return "epochs follow each other";
  }
  for (const Epoch epoch : {is.epoch, is.epoch.next()}) {
    if (!view.after(kSets, epoch)) return "the sets of this epoch and the next are known";
  }
  const DrawWindow window = view.after(kDrawWindow).value_or(DrawWindow{});
  if (window.ready < view.before(kDrawWindow).value_or(DrawWindow{}).ready) {
    return "draw_ready never falls";
  }
  return std::nullopt;
}

}  // namespace

Violation find_violation(const ChangeView& view, const StateReader& after, const Config& config) {
  if (auto found = bound_violation(view, after, config)) return found;
  if (auto found = keys_violation(view, after)) return found;
  return sets_violation(view);
}

}  // namespace tally::validators
