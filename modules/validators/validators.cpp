#include "modules/validators/api.hpp"
#include "modules/validators/events.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::validators {

EpochInfo epoch_info(const StateReader& state) {
  return kEpoch.get(state);
}

ValidatorSet validator_set(const StateReader& state) {
  return kSet.get(state);
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
  kBeacon.put(ctx.state, ctx.block.beacon);
}

std::optional<ValidatorSet> on_block_end(Context& ctx) {
  const EpochInfo info = kEpoch.get(ctx.state);
  if (!is_last_of_epoch(info, ctx.config<Config>(), ctx.block.number)) return std::nullopt;
  const EpochInfo next{info.epoch.next(), ctx.block.number.next(), ctx.block.beacon};
  kEpoch.put(ctx.state, next);
  ctx.events.emit(kModule, EpochStarted{next.epoch, next.randomness});
  return kSet.get(ctx.state);
}

}  // namespace tally::validators
