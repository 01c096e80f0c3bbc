#include "modules/workers/slashing.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "modules/credits/api.hpp"
#include "modules/workers/api.hpp"
#include "modules/workers/errors.hpp"
#include "modules/workers/events.hpp"
#include "modules/workers/rewards.hpp"
#include "modules/workers/stake.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/assert.hpp"

namespace tally::workers {

namespace {

using credits::BurnReason;
using credits::HoldReason;
using Motions = BoundedVec<Motion, kMaxCouncil * kMaxMotions>;
using Delegators = BoundedVec<AccountId, kMaxDelegators>;

template <class List, class T>
bool contains(const List& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool is_about(const Motion& motion, const ApproveSlash& call) {
  return motion.worker == call.worker && motion.reason == call.reason &&
         motion.evidence == call.evidence;
}

// The motion with the member's approval added; begun if there is none.
Result<Motion, DispatchError> approved(Context& ctx, const AccountId& member,
                                       const ApproveSlash& call, std::vector<Motion>& motions) {
  for (Motion& motion : motions) {
    if (!is_about(motion, call)) continue;
    if (contains(motion.approvals, member)) return fail(reject(Error::already_approved));
    const bool room = motion.approvals.push_back(member);
    TALLY_ASSERT(room);  // members approve once each
    return motion;
  }
  const auto begun = std::count_if(motions.begin(), motions.end(), [&](const Motion& motion) {
    return motion.approvals[0] == member;
  });
  if (static_cast<std::size_t>(begun) >= kMaxMotions) {
    return fail(reject(Error::too_many_motions));
  }
  const TimestampMs expires(ctx.block.time.value + ctx.config<Config>().motion_life.value);
  Motion motion{call.worker, call.reason, call.evidence, {}, expires};
  const bool room = motion.approvals.push_back(member);
  TALLY_ASSERT(room);
  motions.push_back(motion);
  return motion;
}

// Burns the share of every delegation; returns the sum, and lowers worker.delegated.
Balance slash_delegators(Context& ctx, const AccountId& account, Worker& worker,
                         std::uint8_t percent) {
  Balance burned;
  std::vector<AccountId> left;
  const Delegators delegators = kDelegators.get(ctx.state, account);
  for (const AccountId& who : delegators) {
    auto entry = kDelegations.at(ctx.state, account, who);
    Delegation delegation = entry.get();
    const DelegatedSlash slash = slash_delegated(delegation, percent);
    worker.delegated = rest(worker.delegated, slash.bonded);
    burned = sum(burned, slash.all);
    credits::burn_held(ctx, who, HoldReason::worker_stake, slash.all, BurnReason::slash);
    if (total(delegation).is_zero()) {
      entry.erase();
    } else {
      entry.put(delegation);
      left.push_back(who);
    }
  }
  if (left.size() == delegators.size()) return burned;
  if (left.empty()) {
    kDelegators.erase(ctx.state, account);
  } else {
    kDelegators.put(ctx.state, account, *Delegators::from(std::move(left)));
  }
  return burned;
}

}  // namespace

std::uint8_t slash_percent(const SlashShares& shares, SlashReason reason) {
  switch (reason) {
    case SlashReason::downtime:
      return shares.downtime;
    case SlashReason::invalid_result:
      return shares.invalid_result;
    case SlashReason::spam:
      return shares.spam;
    case SlashReason::double_spend:
      return shares.double_spend;
    case SlashReason::sybil:
      return shares.sybil;
    case SlashReason::malicious:
      return shares.malicious;
  }
  return 0;
}

DispatchResult approve_slash(Context& ctx, const AccountId& member, const ApproveSlash& call) {
  const Council council = kCouncil.get(ctx.state);
  if (!contains(council.members, member)) return fail(reject(Error::not_in_council));
  if (!kWorkers.contains(ctx.state, call.worker)) return fail(reject(Error::unknown_worker));
  std::vector<Motion> motions;
  for (const Motion& motion : kMotions.get(ctx.state)) {
    if (ctx.block.time < motion.expires_at) motions.push_back(motion);
  }
  const Motion motion = TALLY_TRY(approved(ctx, member, call, motions));
  const auto approvals = static_cast<std::uint32_t>(motion.approvals.size());
  const bool carried = approvals >= council.threshold;
  if (carried) std::erase_if(motions, [&](const Motion& open) { return is_about(open, call); });
  if (motions.empty()) {
    kMotions.erase(ctx.state);
  } else {
    const auto bounded = Motions::from(std::move(motions));
    TALLY_ASSERT(bounded.has_value());  // kMaxMotions of each member
    kMotions.put(ctx.state, *bounded);
  }
  ctx.events.emit(kModule,
                  SlashApproved{call.worker, call.reason, call.evidence, member, approvals});
  if (carried) slash(ctx, call.worker, call.reason);
  return {};
}

void lose_rewards(Context& ctx, const AccountId& account, Worker& worker) {
  const Balance lost = forfeit(worker.rewards, ctx.block.time);
  if (lost.is_zero()) return;
  kRewardsDue.put(ctx.state, rest(kRewardsDue.get(ctx.state), lost));
  ctx.events.emit(kModule, RewardsLost{account, lost});
}

void slash(Context& ctx, const AccountId& account, SlashReason reason) {
  auto entry = kWorkers.at(ctx.state, account);
  TALLY_ASSERT(entry.exists());
  Worker worker = entry.get();
  const std::uint8_t percent = slash_percent(ctx.config<Config>().slash_percent, reason);
  const OwnSlash own = slash_own(worker, percent);
  credits::burn_held(ctx, account, HoldReason::worker_stake, own.now, BurnReason::slash);
  const Balance delegated = slash_delegators(ctx, account, worker, percent);
  lose_rewards(ctx, account, worker);
  entry.put(worker);
  kStaked.put(ctx.state, rest(kStaked.get(ctx.state), sum(own.now, delegated)));
  ctx.events.emit(kModule, WorkerSlashed{account, reason, own.now, delegated, own.due});
}

}  // namespace tally::workers
