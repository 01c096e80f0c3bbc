#include "modules/validators/equivocation.hpp"

#include <algorithm>

#include "modules/validators/errors.hpp"
#include "modules/validators/events.hpp"
#include "modules/validators/naming.hpp"
#include "modules/validators/stake.hpp"
#include "primitives/assert.hpp"

namespace tally::validators {
namespace {

// Takes everything that is bound for the validator. Its keys stay taken: they serve nobody again.
struct Taken {
  Balance reward;
  Balance burned;
};
Taken take_all(Context& ctx, const AccountId& validator, const AccountId& reporter) {
  const Candidate candidate = *kCandidates.find(ctx.state, validator);
  const Balance own = candidate.own();
  const auto reward = mul_div(own, ctx.config<Config>().reporter_per_thousand, kPerThousand);
  TALLY_ASSERT(reward.ok());  // a share of a balance
  Taken taken{*reward, minus(own, *reward)};
  pay_bound(ctx, {validator, reporter, taken.reward});
  burn_bound(ctx, validator, taken.burned);
  for (const AccountId& delegator : kDelegators.get(ctx.state, validator)) {
    const auto delegation = kDelegations.find(ctx.state, validator, delegator);
    TALLY_ASSERT(delegation.has_value());
    burn_bound(ctx, delegator, delegation->held());
    taken.burned = plus(taken.burned, delegation->held());
    kDelegations.erase(ctx.state, validator, delegator);
  }
  kDelegators.erase(ctx.state, validator);
  kCandidates.erase(ctx.state, validator);
  auto list = kCandidateList.get(ctx.state);
  erase_account(list, validator);
  kCandidateList.put(ctx.state, list);
  return taken;
}

}  // namespace

DispatchResult report_equivocation(Context& ctx, const AccountId& reporter,
                                   const Evidence& evidence) {
  const auto id = evidence_id(evidence);
  if (!id) return fail(reject(Error::not_a_conflict));
  if (id->epoch > epoch_info(ctx.state).epoch) return fail(reject(Error::epoch_not_begun));
  const auto epoch = kSets.find(ctx.state, id->epoch);
  if (!epoch || evidence_is_late(*epoch, ctx.config<Config>(), ctx.block.time)) {
    return fail(reject(Error::too_late));
  }
  if (!epoch->set.contains(id->validator)) return fail(reject(Error::unknown_signer));
  const AccountId validator = epoch->set.at(id->validator).account;
  const Offence offence{validator, id->view, id->kind};
  Offences offences = kOffences.get(ctx.state, id->epoch);
  if (std::find(offences.begin(), offences.end(), offence) != offences.end()) {
    return fail(reject(Error::already_reported));
  }
  const auto candidate = kCandidates.find(ctx.state, validator);
  if (!candidate || candidate->registered >= id->epoch) return fail(reject(Error::nothing_bound));
  if (!verify(evidence, {ctx.block.genesis_hash, id->epoch, &epoch->set}).ok()) {
    return fail(reject(Error::bad_signature));
  }
  const Taken taken = take_all(ctx, validator, reporter);
  const bool room = offences.push_back(offence);
  TALLY_ASSERT(room);  // a member is convicted once an epoch
  kOffences.put(ctx.state, id->epoch, offences);
  ctx.events.emit(kModule, EquivocationProved{validator, id->epoch, id->view, id->kind, reporter,
                                              taken.reward, taken.burned});
  return {};
}

}  // namespace tally::validators
