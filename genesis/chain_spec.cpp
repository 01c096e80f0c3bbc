#include "genesis/chain_spec.hpp"

#include <set>

#include "genesis/json.hpp"
#include "modules/credits/api.hpp"

namespace tally::genesis {

namespace {

Result<void, Error> check_blocks(const system::Config& blocks) {
  if (blocks.min_block_interval.value == 0) {
    return fail_with("blocks.min_block_interval: expected at least 1 ms, got 0");
  }
  if (blocks.idle_interval < blocks.min_block_interval) {
    return fail_with("blocks.idle_interval: expected no less than blocks.min_block_interval");
  }
  if (blocks.operational_percent == 0 || blocks.operational_percent >= 100) {
    return fail_with("blocks.operational_percent: expected 1 to 99, got " +
                     std::to_string(blocks.operational_percent));
  }
  if (blocks.extrinsic_bytes_max > blocks.block_bytes_max / 2) {
    return fail_with("blocks.extrinsic_bytes_max: expected at most half of blocks.block_bytes_max");
  }
  return {};
}

Result<void, Error> check_workers(const workers::Config& config) {
  const workers::SlashShares& shares = config.slash_percent;
  for (const std::uint8_t percent : {shares.downtime, shares.invalid_result, shares.spam,
                                     shares.double_spend, shares.sybil, shares.malicious}) {
    if (percent > 100) {
      return fail_with("workers.slash_percent: expected at most 100, got " +
                       std::to_string(percent));
    }
  }
  if (config.stake_min.is_zero() || config.delegation_min.is_zero()) {
    return fail_with("workers.stake_min, delegation_min: expected more than nothing");
  }
  if (config.delegators_max > workers::kMaxDelegators) {
    return fail_with("workers.delegators_max: expected at most " +
                     std::to_string(workers::kMaxDelegators) + ", got " +
                     std::to_string(config.delegators_max));
  }
  if (config.heartbeat_interval.value == 0) {
    return fail_with("workers.heartbeat_interval: expected at least 1 ms, got 0");
  }
  if (config.hour_price.is_zero() || config.task_turnover.is_zero()) {
    return fail_with("workers.hour_price, task_turnover: expected more than nothing");
  }
  // Else whoever deals with itself gains by it.
  if (config.reward_percent_max >= 100) {
    return fail_with("workers.reward_percent_max: expected at most 99, got " +
                     std::to_string(config.reward_percent_max));
  }
  return {};
}

Result<void, Error> check_council(const workers::Council& council) {
  const std::set<AccountId> members(council.members.begin(), council.members.end());
  if (members.size() != council.members.size()) {
    return fail_with("council.members: an account stands twice; remove one");
  }
  if (council.threshold > members.size() || (council.threshold == 0) != members.empty()) {
    return fail_with("council.threshold: expected 1 to the number of members, " +
                     std::to_string(members.size()) + ", or 0 without members; got " +
                     std::to_string(council.threshold));
  }
  return {};
}

Result<void, Error> check_accounts(const ChainSpec& spec) {
  const Balance least = spec.credits.existential_deposit;
  std::set<AccountId> seen{credits::reward_pool_account()};
  for (std::size_t i = 0; i < spec.accounts.size(); ++i) {
    const Endowment& endowment = spec.accounts[i];
    const std::string field = "accounts[" + std::to_string(i) + "]";
    if (!seen.insert(endowment.account).second) {
      return fail_with(field + ".account: stands twice, or is the reward pool; remove one");
    }
    if (endowment.balance < least) {
      return fail_with(field + ".balance: expected at least the existential deposit of " +
                       to_text(least) + ", got " + to_text(endowment.balance));
    }
  }
  if (spec.bench_accounts.count > 0 && spec.bench_accounts.balance < least) {
    return fail_with("bench_accounts.balance: expected at least the existential deposit of " +
                     to_text(least) + ", got " + to_text(spec.bench_accounts.balance));
  }
  return {};
}

}  // namespace

Result<void, Error> check_chain_spec(const ChainSpec& spec) {
  if (spec.chain_id.empty()) return fail_with("chain_id: expected a name, got an empty text");
  TALLY_TRY(check_blocks(spec.blocks));
  if (spec.consensus.epoch_length == 0) {
    return fail_with("consensus.epoch_length: expected at least 1 block, got 0");
  }
  if (spec.consensus.delta.value == 0) {
    return fail_with("consensus.delta: expected at least 1 ms, got 0");
  }
  if (spec.credits.existential_deposit.is_zero()) {
    return fail_with("credits.existential_deposit: expected more than nothing");
  }
  if (spec.credits.multiplier_max == 0 || spec.credits.multiplier_scale_hours == 0) {
    return fail_with("credits.multiplier_max, multiplier_scale_hours: expected at least 1");
  }
  TALLY_TRY(check_workers(spec.workers));
  TALLY_TRY(check_council(spec.council));
  const auto members = BoundedVec<Validator, kMaxValidators>::from(spec.validators);
  const auto checked = members
                           ? ValidatorSet{*members}.check()
                           : Result<void, ValidatorSetError>(fail(ValidatorSetError::too_heavy));
  if (!checked.ok()) {
    return fail_with("validators: not a validator set (" +
                     std::string(enumerator_name(checked.error())) + "); expected 1 to " +
                     std::to_string(kMaxValidators) +
                     " with keys of their own and weights of at least 1");
  }
  return check_accounts(spec);
}

Result<ChainSpec, Error> parse_chain_spec(std::string_view json_text) {
  const Json json = TALLY_TRY(parse_json(json_text));
  ChainSpec spec = TALLY_TRY(from_json<ChainSpec>(json, ""));
  TALLY_TRY(check_chain_spec(spec));
  return spec;
}

Result<ChainSpec, Error> preset(std::string_view name) {
  const auto json = preset_json(name);
  if (!json) {
    std::string known;
    for (const std::string_view preset : preset_names()) known += " " + std::string(preset);
    return fail_with("no preset is called " + std::string(name) + "; there are" + known);
  }
  return parse_chain_spec(*json);
}

}  // namespace tally::genesis
