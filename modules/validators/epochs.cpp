#include "modules/validators/downtime.hpp"
#include "modules/validators/draw_window.hpp"
#include "modules/validators/events.hpp"
#include "modules/validators/naming.hpp"
#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::validators {
namespace {

// An epoch adds one set, so taking two away at most lets no backlog grow.
constexpr int kSetsForgottenMax = 2;

void forget_old_sets(Context& ctx, Epoch ended) {
  Epoch oldest = kOldestSet.get(ctx.state);
  for (int i = 0; i < kSetsForgottenMax && oldest <= ended; ++i) {
    const EpochSet set = epoch_set(ctx.state, oldest);
    if (!evidence_is_late(set, ctx.config<Config>(), ctx.block.time)) break;
    kSets.erase(ctx.state, oldest);
    kOffences.erase(ctx.state, oldest);
    oldest = oldest.next();
  }
  kOldestSet.put(ctx.state, oldest);
}

}  // namespace

EpochInfo epoch_info(const StateReader& state) {
  return kEpoch.get(state);
}

EpochSet epoch_set(const StateReader& state, Epoch epoch) {
  auto found = kSets.find(state, epoch);
  TALLY_ASSERT(found.has_value());
  return *std::move(found);
}

ValidatorSet validator_set(const StateReader& state) {
  return epoch_set(state, epoch_info(state).epoch).set;
}

std::optional<ValidatorSet> set_of(const StateReader& state, Epoch epoch) {
  auto found = kSets.find(state, epoch);
  if (!found) return std::nullopt;
  return std::move(found->set);
}

bool evidence_is_late(const EpochSet& set, const Config& config, TimestampMs now) {
  return set.ended.value != 0 && now.value >= set.ended.value + config.unbonding.value;
}

Hash beacon(const StateReader& state) {
  return kBeacon.get(state);
}

Hash fold_beacon(const Hash& beacon, const VrfOutput& output) {
  const Bytes tag = domain_tag("beacon");
  return blake2_256({tag, beacon, output});
}

Hash genesis_beacon(std::string_view chain_id) {
  const Bytes tag = domain_tag("genesis-beacon");
  return blake2_256({tag, as_bytes(chain_id)});
}

bool is_last_of_epoch(const EpochInfo& info, const Config& config, BlockNumber number) {
  return number.value - info.first_block.value + 1 >= config.epoch_length;
}

void on_block_start(Context& ctx) {
  const BlockContext& block = ctx.block;
  kBeacon.put(ctx.state, block.beacon);
  const DrawWindow window = next_window(ctx.state, {block.number, block.view, block.proposer});
  TALLY_ASSERT(window.ready == block.draw_ready);
  kDrawWindow.put(ctx.state, window);
  count_block(ctx);
}

std::optional<ValidatorSet> on_block_end(Context& ctx) {
  const EpochInfo info = kEpoch.get(ctx.state);
  if (!is_last_of_epoch(info, ctx.config<Config>(), ctx.block.number)) return std::nullopt;
  judge_epoch(ctx, info);
  const Named named = name_set(ctx, info.epoch.next().next());

  EpochSet ended = epoch_set(ctx.state, info.epoch);
  ended.ended = ctx.block.time;
  kSets.put(ctx.state, info.epoch, ended);
  kSets.put(ctx.state, named.epoch, EpochSet{named.set, TimestampMs(0)});
  forget_old_sets(ctx, info.epoch);
  kViewsBefore.put(ctx.state, kViewsBefore.get(ctx.state) + ctx.block.view.value);

  const EpochInfo next{info.epoch.next(), ctx.block.number.next(), ctx.block.beacon};
  kEpoch.put(ctx.state, next);
  ctx.events.emit(kModule, EpochStarted{next.epoch, next.randomness});
  ctx.events.emit(kModule, SetNamed{named.epoch, static_cast<std::uint32_t>(named.set.size()),
                                    named.set.total_weight(), named.carried_over});
  return named.set;
}

}  // namespace tally::validators
