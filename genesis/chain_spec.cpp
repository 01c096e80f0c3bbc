#include "genesis/chain_spec.hpp"

#include <algorithm>
#include <set>

#include "genesis/json.hpp"
#include "modules/credits/api.hpp"
#include "modules/disputes/types.hpp"
#include "modules/validators/genesis.hpp"

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

Result<void, Error> check_disputes(const disputes::Config& config) {
  if (config.deadline_bucket.value == 0 || config.deadlines_max == 0 || config.draws_max == 0) {
    return fail_with(
        "disputes.deadline_bucket, deadlines_max, draws_max: expected more than nothing");
  }
  const std::uint64_t first = config.seats_first;
  const std::uint64_t both = first + config.seats_more;
  if (first == 0 || config.seats_appeal == 0 || both + config.seats_appeal > disputes::kMaxSeats) {
    return fail_with("disputes.seats_first, seats_more, seats_appeal: expected some, at most " +
                     std::to_string(disputes::kMaxSeats) + " together");
  }
  // A quorum of half or less could be reached by two votes at once.
  const bool quorums = config.quorum_first * 2ull > first && config.quorum_first <= first &&
                       config.quorum_second * 2ull > both && config.quorum_second <= both;
  if (!quorums) {
    return fail_with(
        "disputes.quorum_first, quorum_second: expected more than half of their seats, and no more "
        "than all");
  }
  if (config.bond_fees < both || config.overturned_fine < config.fine) {
    return fail_with(
        "disputes.bond_fees, overturned_fine: expected a bond for the fees of all seats but an "
        "appeal's, and an overturned_fine of at least the fine");
  }
  return {};
}

Result<void, Error> check_storage_registry(const storage_registry::Config& config,
                                           const storage_registry::Attesters& attesters) {
  if (config.checkpoints_max > storage_registry::kMaxCheckpoints) {
    return fail_with("storage_registry.checkpoints_max: expected at most " +
                     std::to_string(storage_registry::kMaxCheckpoints) + ", got " +
                     std::to_string(config.checkpoints_max));
  }
  const std::set<AccountId> each(attesters.begin(), attesters.end());
  if (each.size() != attesters.size()) {
    return fail_with("attesters: an account stands twice; remove one");
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

Result<void, Error> check_consensus(const validators::Config& config) {
  if (config.epoch_length == 0) {
    return fail_with("consensus.epoch_length: expected at least 1 block, got 0");
  }
  if (config.delta.value == 0) {
    return fail_with("consensus.delta: expected at least 1 ms, got 0");
  }
  if (config.validators_max == 0 || config.validators_max > kMaxValidators) {
    return fail_with("consensus.validators_max: expected 1 to " + std::to_string(kMaxValidators) +
                     ", got " + std::to_string(config.validators_max));
  }
  if (config.bond_min < kCredit || config.delegation_min.is_zero()) {
    return fail_with("consensus.bond_min, delegation_min: expected at least 1 CC, and not nothing");
  }
  if (config.delegators_max > validators::kMaxDelegators) {
    return fail_with("consensus.delegators_max: expected at most " +
                     std::to_string(validators::kMaxDelegators) + ", got " +
                     std::to_string(config.delegators_max));
  }
  if (config.reporter_per_thousand > 1'000 || config.downtime_per_thousand > 1'000) {
    return fail_with(
        "consensus.reporter_per_thousand, downtime_per_thousand: expected at most 1000");
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

// Every validator's bond, its weight in whole CC, comes out of its account's endowment.
Result<void, Error> check_bond(const ChainSpec& spec, const Validator& validator,
                               const std::string& field) {
  const Balance bond = validators::genesis_bond(validator);
  if (bond < spec.consensus.bond_min) {
    return fail_with(field + ".weight: the bond in whole CC; expected at least " +
                     to_text(spec.consensus.bond_min) + " (consensus.bond_min), got " +
                     to_text(bond));
  }
  const auto endowment =
      std::find_if(spec.accounts.begin(), spec.accounts.end(),
                   [&](const Endowment& entry) { return entry.account == validator.account; });
  const auto needed = checked_add(bond, spec.credits.existential_deposit);
  if (endowment == spec.accounts.end() || !needed.ok() || endowment->balance < *needed) {
    return fail_with(field + ".account: expected an account of accounts[] with at least " +
                     to_text(bond) + " for its bond and the existential deposit; add it");
  }
  return {};
}

Result<void, Error> check_validators(const ChainSpec& spec) {
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
  std::set<AccountId> accounts;
  std::set<VrfKey> vrf_keys;
  for (std::size_t i = 0; i < spec.validators.size(); ++i) {
    const Validator& validator = spec.validators[i];
    const std::string field = "validators[" + std::to_string(i) + "]";
    if (!accounts.insert(validator.account).second || !vrf_keys.insert(validator.vrf_key).second) {
      return fail_with(field + ": another validator has its account or its VRF key; change one");
    }
    TALLY_TRY(check_bond(spec, validator, field));
  }
  return {};
}

}  // namespace

Result<void, Error> check_chain_spec(const ChainSpec& spec) {
  if (spec.chain_id.empty()) return fail_with("chain_id: expected a name, got an empty text");
  TALLY_TRY(check_blocks(spec.blocks));
  TALLY_TRY(check_consensus(spec.consensus));
  if (spec.credits.existential_deposit.is_zero()) {
    return fail_with("credits.existential_deposit: expected more than nothing");
  }
  if (spec.credits.multiplier_max == 0 || spec.credits.multiplier_scale_hours == 0) {
    return fail_with("credits.multiplier_max, multiplier_scale_hours: expected at least 1");
  }
  TALLY_TRY(check_workers(spec.workers));
  TALLY_TRY(check_disputes(spec.disputes));
  TALLY_TRY(check_storage_registry(spec.storage_registry, spec.attesters));
  TALLY_TRY(check_council(spec.council));
  TALLY_TRY(check_accounts(spec));
  return check_validators(spec);
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
