#include "modules/validators/equivocation.hpp"
#include "modules/validators/errors.hpp"
#include "modules/validators/events.hpp"
#include "modules/validators/naming.hpp"
#include "modules/validators/stake.hpp"
#include "primitives/assert.hpp"

namespace tally::validators {
namespace {

Result<Candidate, DispatchError> candidate_at(const StateReader& state, const AccountId& account) {
  auto candidate = kCandidates.find(state, account);
  if (!candidate) return fail(reject(Error::unknown_validator));
  return *std::move(candidate);
}

// That the caller holds both keys. One that is its own already may stay.
DispatchResult check_keys(const Context& ctx, const AccountId& caller, const Keys& keys,
                          const Candidate* current) {
  const bool keeps_consensus = current != nullptr && current->consensus_key == keys.consensus_key;
  const bool keeps_vrf = current != nullptr && current->vrf_key == keys.vrf_key;
  if ((!keeps_consensus && kConsensusKeys.contains(ctx.state, keys.consensus_key)) ||
      (!keeps_vrf && kVrfKeys.contains(ctx.state, keys.vrf_key))) {
    return fail(reject(Error::key_in_use));
  }
  const Bytes message =
      possession_bytes({ctx.block.genesis_hash, caller}, keys.consensus_key, keys.vrf_key);
  if (!ed25519_verify(keys.consensus_key, message, keys.consensus_proof)) {
    return fail(reject(Error::bad_consensus_proof));
  }
  if (!vrf_verify(keys.vrf_key, message, keys.vrf_proof)) {
    return fail(reject(Error::bad_vrf_proof));
  }
  return {};
}

void take_keys(Context& ctx, const AccountId& owner, const Keys& keys) {
  kConsensusKeys.put(ctx.state, keys.consensus_key, owner);
  kVrfKeys.put(ctx.state, keys.vrf_key, owner);
}

DispatchResult list_candidate(Context& ctx, const AccountId& account) {
  auto list = kCandidateList.get(ctx.state);
  if (!insert_account(list, account)) return fail(reject(Error::too_many_candidates));
  kCandidateList.put(ctx.state, list);
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Bond& call) {
  const Balance amount = call.amount.value;
  if (kCandidates.contains(ctx.state, origin.signer)) return fail(reject(Error::already_bonded));
  TALLY_TRY(check_amount(amount));
  if (amount < ctx.config<Config>().bond_min) return fail(reject(Error::bond_too_small));
  TALLY_TRY(list_candidate(ctx, origin.signer));
  TALLY_TRY(check_keys(ctx, origin.signer, call.own_keys, nullptr));
  TALLY_TRY(bind(ctx, origin.signer, amount));
  Candidate candidate;
  candidate.consensus_key = call.own_keys.consensus_key;
  candidate.vrf_key = call.own_keys.vrf_key;
  candidate.registered = epoch_info(ctx.state).epoch;
  candidate.bonded = amount;
  kCandidates.put(ctx.state, origin.signer, candidate);
  take_keys(ctx, origin.signer, call.own_keys);
  ctx.events.emit(kModule,
                  Bonded{origin.signer, candidate.consensus_key, candidate.vrf_key, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const BondMore& call) {
  Candidate candidate = TALLY_TRY(candidate_at(ctx.state, origin.signer));
  const Balance amount = call.amount.value;
  TALLY_TRY(check_amount(amount));
  const bool returns = candidate.standing == Standing::leaving;
  if (returns && amount < ctx.config<Config>().bond_min) {
    return fail(reject(Error::bond_too_small));
  }
  if (returns) {
    TALLY_TRY(list_candidate(ctx, origin.signer));
    candidate.standing = Standing::bonded;
  }
  TALLY_TRY(bind(ctx, origin.signer, amount));
  candidate.bonded = plus(candidate.bonded, amount);
  kCandidates.put(ctx.state, origin.signer, candidate);
  ctx.events.emit(kModule, BondRaised{origin.signer, amount, candidate.bonded});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Unbond& call) {
  const Config& config = ctx.config<Config>();
  Candidate candidate = TALLY_TRY(candidate_at(ctx.state, origin.signer));
  const Balance amount = call.amount.value;
  TALLY_TRY(check_amount(amount));
  if (amount > candidate.bonded) return fail(reject(Error::not_that_much));
  const Balance stays = minus(candidate.bonded, amount);
  if (!stays.is_zero() && stays < config.bond_min) return fail(reject(Error::bond_too_small));
  if (stays.is_zero()) {
    if (!another_nameable(ctx.state, config, origin.signer)) {
      return fail(reject(Error::last_validator));
    }
    auto list = kCandidateList.get(ctx.state);
    erase_account(list, origin.signer);
    kCandidateList.put(ctx.state, list);
    candidate.standing = Standing::leaving;
  }
  const Epoch last = counted_until(ctx.state, candidate);
  candidate.bonded = stays;
  TALLY_TRY(begin_unbonding(ctx, candidate.unbonding, amount, last));
  kCandidates.put(ctx.state, origin.signer, candidate);
  ctx.events.emit(kModule, Unbonded{origin.signer, amount, stays, last});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Delegate& call) {
  const Config& config = ctx.config<Config>();
  Candidate candidate = TALLY_TRY(candidate_at(ctx.state, call.validator));
  const Balance amount = call.amount.value;
  if (origin.signer == call.validator) return fail(reject(Error::own_stake));
  if (candidate.standing == Standing::leaving) return fail(reject(Error::not_bonded));
  TALLY_TRY(check_amount(amount));
  auto found = kDelegations.find(ctx.state, call.validator, origin.signer);
  Delegation delegation = found.value_or(Delegation{});
  const Balance sum = plus(delegation.bonded, amount);
  if (sum < config.delegation_min) return fail(reject(Error::delegation_small));
  if (!found) {
    auto delegators = kDelegators.get(ctx.state, call.validator);
    if (delegators.size() >= config.delegators_max || !insert_account(delegators, origin.signer)) {
      return fail(reject(Error::too_many_delegators));
    }
    kDelegators.put(ctx.state, call.validator, delegators);
  }
  TALLY_TRY(bind(ctx, origin.signer, amount));
  delegation.bonded = sum;
  candidate.delegated = plus(candidate.delegated, amount);
  kDelegations.put(ctx.state, call.validator, origin.signer, delegation);
  kCandidates.put(ctx.state, call.validator, candidate);
  ctx.events.emit(kModule, Delegated{origin.signer, call.validator, amount});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Undelegate& call) {
  Candidate candidate = TALLY_TRY(candidate_at(ctx.state, call.validator));
  const Balance amount = call.amount.value;
  TALLY_TRY(check_amount(amount));
  auto delegation = kDelegations.find(ctx.state, call.validator, origin.signer);
  if (!delegation) return fail(reject(Error::no_delegation));
  if (amount > delegation->bonded) return fail(reject(Error::not_that_much));
  const Balance stays = minus(delegation->bonded, amount);
  if (!stays.is_zero() && stays < ctx.config<Config>().delegation_min) {
    return fail(reject(Error::delegation_small));
  }
  const Epoch last = counted_until(ctx.state, candidate);
  delegation->bonded = stays;
  TALLY_TRY(begin_unbonding(ctx, delegation->unbonding, amount, last));
  candidate.delegated = minus(candidate.delegated, amount);
  kDelegations.put(ctx.state, call.validator, origin.signer, *delegation);
  kCandidates.put(ctx.state, call.validator, candidate);
  ctx.events.emit(kModule, Undelegated{origin.signer, call.validator, amount, last});
  return {};
}

void forget_delegator(Context& ctx, const AccountId& validator, const AccountId& delegator) {
  kDelegations.erase(ctx.state, validator, delegator);
  auto delegators = kDelegators.get(ctx.state, validator);
  erase_account(delegators, delegator);
  if (delegators.empty()) {
    kDelegators.erase(ctx.state, validator);
  } else {
    kDelegators.put(ctx.state, validator, delegators);
  }
}

Result<Balance, DispatchError> take_due_delegation(Context& ctx, const AccountId& validator,
                                                   const AccountId& delegator) {
  auto delegation = kDelegations.find(ctx.state, validator, delegator);
  if (!delegation) return fail(reject(Error::no_delegation));
  const Balance due = take_due(ctx, delegation->unbonding);
  if (delegation->held().is_zero()) {
    forget_delegator(ctx, validator, delegator);
  } else {
    kDelegations.put(ctx.state, validator, delegator, *delegation);
  }
  return due;
}

DispatchResult run(Context& ctx, const Origin& origin, const Withdraw& call) {
  Candidate candidate = TALLY_TRY(candidate_at(ctx.state, call.validator));
  const Balance due = origin.signer == call.validator
                          ? take_due(ctx, candidate.unbonding)
                          : TALLY_TRY(take_due_delegation(ctx, call.validator, origin.signer));
  if (due.is_zero()) return fail(reject(Error::nothing_to_withdraw));
  unbind(ctx, origin.signer, due);
  save(ctx, call.validator, candidate);
  ctx.events.emit(kModule, Withdrawn{origin.signer, call.validator, due});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const SetKeys& call) {
  Candidate candidate = TALLY_TRY(candidate_at(ctx.state, origin.signer));
  TALLY_TRY(check_keys(ctx, origin.signer, call.own_keys, &candidate));
  kConsensusKeys.erase(ctx.state, candidate.consensus_key);
  kVrfKeys.erase(ctx.state, candidate.vrf_key);
  take_keys(ctx, origin.signer, call.own_keys);
  candidate.consensus_key = call.own_keys.consensus_key;
  candidate.vrf_key = call.own_keys.vrf_key;
  kCandidates.put(ctx.state, origin.signer, candidate);
  ctx.events.emit(kModule, KeysChanged{origin.signer, candidate.consensus_key, candidate.vrf_key});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Rejoin&) {
  Candidate candidate = TALLY_TRY(candidate_at(ctx.state, origin.signer));
  if (candidate.standing != Standing::out) return fail(reject(Error::not_out));
  if (candidate.bonded < ctx.config<Config>().bond_min) {
    return fail(reject(Error::bond_too_small));
  }
  candidate.standing = Standing::bonded;
  kCandidates.put(ctx.state, origin.signer, candidate);
  ctx.events.emit(kModule, Rejoined{origin.signer});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const ReportEquivocation& call) {
  return report_equivocation(ctx, origin.signer, call.evidence);
}

}  // namespace

std::optional<Candidate> find(const StateReader& state, const AccountId& validator) {
  return kCandidates.find(state, validator);
}

std::optional<Delegation> find_delegation(const StateReader& state, const AccountId& validator,
                                          const AccountId& delegator) {
  return kDelegations.find(state, validator, delegator);
}

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call) {
  return std::visit([&](const auto& alternative) { return run(ctx, origin, alternative); }, call);
}

}  // namespace tally::validators
