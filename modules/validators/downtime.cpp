#include "modules/validators/downtime.hpp"

#include <algorithm>

#include "modules/credits/api.hpp"
#include "modules/validators/events.hpp"
#include "modules/validators/naming.hpp"
#include "modules/validators/stake.hpp"
#include "primitives/assert.hpp"

namespace tally::validators {
namespace {

// An epoch that took more than this many views a block is not judged: most views failed, and that
// is nobody's fault in particular. It also bounds the work.
constexpr std::uint64_t kViewsPerBlockMax = 4;

bool is_absent(const Attendance& member, std::uint32_t views_min) {
  return member.led >= std::max<std::uint32_t>(views_min, 1) &&
         2 * std::uint64_t{member.missed} > member.led;
}

// The larger share of missed views.
bool worse(const Attendance& a, const Attendance& b) {
  return std::uint64_t{a.missed} * b.led > std::uint64_t{b.missed} * a.led;
}

std::vector<Attendance> attendance(const Context& ctx, const EpochInfo& info,
                                   const ValidatorSet& set) {
  std::vector<Attendance> out(set.size());
  LeaderSchedule schedule(set, epoch_seed({ctx.block.genesis_hash, info.epoch, info.randomness}));
  for (std::uint64_t view = 1; view <= ctx.block.view.value; ++view) {
    ++out[schedule.leader(View(view)).value].led;
  }
  for (std::size_t i = 0; i < set.size(); ++i) {
    const std::uint32_t produced = kProduced.get(ctx.state, static_cast<std::uint16_t>(i));
    out[i].missed = out[i].led - std::min(out[i].led, produced);
  }
  return out;
}

void put_out(Context& ctx, const AccountId& account, Epoch epoch, const Attendance& attendance) {
  Candidate candidate = *kCandidates.find(ctx.state, account);
  const auto fine =
      mul_div(candidate.bonded, ctx.config<Config>().downtime_per_thousand, kPerThousand);
  TALLY_ASSERT(fine.ok());  // a share of a balance
  candidate.bonded = minus(candidate.bonded, *fine);
  candidate.standing = Standing::out;
  kCandidates.put(ctx.state, account, candidate);
  burn_bound(ctx, account, *fine);
  ctx.events.emit(kModule, WentDown{account, epoch, attendance.led, attendance.missed, *fine});
}

}  // namespace

std::vector<std::size_t> absent(const Roll& roll) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < roll.members.size(); ++i) {
    if (roll.may_leave[i] && is_absent(roll.members[i], roll.views_min)) out.push_back(i);
  }
  std::stable_sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
    return worse(roll.members[a], roll.members[b]);
  });
  const std::size_t limit = roll.members.empty() ? 0 : (roll.members.size() - 1) / 3;
  out.resize(std::min(out.size(), limit));
  return out;
}

void count_block(Context& ctx) {
  const ValidatorSet set = validator_set(ctx.state);
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set.members[i].account != ctx.block.proposer) continue;
    auto produced = kProduced.at(ctx.state, static_cast<std::uint16_t>(i));
    produced.put(produced.get() + 1);
    return;
  }
}

void judge_epoch(Context& ctx, const EpochInfo& info) {
  const Config& config = ctx.config<Config>();
  const ValidatorSet set = epoch_set(ctx.state, info.epoch).set;
  if (ctx.block.view.value <= kViewsPerBlockMax * config.epoch_length) {
    Roll roll{attendance(ctx, info, set), {}, config.downtime_views_min};
    for (const Validator& member : set.members) {
      const auto candidate = kCandidates.find(ctx.state, member.account);
      roll.may_leave.push_back(candidate && nameable(*candidate, config));
    }
    for (const std::size_t index : absent(roll)) {
      const AccountId& account = set.members[index].account;
      if (!another_nameable(ctx.state, config, account)) break;
      put_out(ctx, account, info.epoch, roll.members[index]);
    }
  }
  for (std::size_t i = 0; i < set.size(); ++i) {
    kProduced.erase(ctx.state, static_cast<std::uint16_t>(i));
  }
}

}  // namespace tally::validators
