#include "tools/cli/validator_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "primitives/ss58.hpp"

namespace tally::cli {

namespace {

using validators::Candidate;

struct Listed {
  AccountId account;
  std::optional<Candidate> candidate;

  Balance stake() const { return candidate ? candidate->stake() : Balance{}; }
};

// Who has a bond, and who serves in this epoch without one; the highest stakes first.
CliResult<std::vector<Listed>> everybody(const ProvedState& state, const ValidatorSet& set) {
  std::vector<AccountId> accounts;
  for (const AccountId& account : validators::kCandidateList.get(state)) {
    accounts.push_back(account);
  }
  for (const Validator& member : set.members) {
    if (std::find(accounts.begin(), accounts.end(), member.account) == accounts.end()) {
      accounts.push_back(member.account);
    }
  }
  std::vector<Listed> found;
  for (const AccountId& account : accounts) {
    found.push_back({account, validators::find(state, account)});
  }
  TALLY_TRY(state.whole());
  std::stable_sort(found.begin(), found.end(),
                   [](const Listed& a, const Listed& b) { return a.stake() > b.stake(); });
  return found;
}

// The weight in the current epoch's set; nothing when it does not validate.
std::optional<std::uint64_t> weight_now(const ValidatorSet& set, const AccountId& account) {
  for (const Validator& member : set.members) {
    if (member.account == account) return member.weight;
  }
  return std::nullopt;
}

ValidatorSet current_set(const ProvedState& state) {
  const auto set = validators::set_of(state, validators::epoch_info(state).epoch);
  return set.value_or(ValidatorSet{});
}

std::string standing_text(const std::optional<Candidate>& candidate) {
  return candidate ? std::string(enumerator_name(candidate->standing)) : "convicted";
}

std::string named_text(const std::optional<Candidate>& candidate) {
  if (!candidate) return "-";
  if (candidate->last_named.value == 0) return "never";
  return fmt::format("epoch {}", candidate->last_named.value);
}

}  // namespace

CliResult<validators::Config> validators_config(const ProvedState& state) {
  const auto config = validators::kConfig.find(state);
  TALLY_TRY(state.whole());
  if (config) return *config;
  return fail(Fault{Exit::not_found, "not_found", "this chain has no validators module"});
}

std::string leaves_text(const ProvedState& state, const validators::Config& config,
                        const validators::Unbonding& part) {
  if (const auto due = validators::due_at(state, config, part)) {
    return until_text(*due, state.chain_time()) + " of chain time";
  }
  return fmt::format("{} after the end of epoch {}", duration_text(config.unbonding.value),
                     part.last_epoch.value);
}

Json unbonding_json(const ProvedState& state, const validators::Config& config,
                    const validators::UnbondingList& parts) {
  Json out = Json::array();
  for (const validators::Unbonding& part : parts) {
    const auto due = validators::due_at(state, config, part);
    out.push_back(
        {{"amount", to_json(part.amount)},
         {"last_epoch", part.last_epoch.value},
         {"due_ms", due ? Json(due->value) : Json(nullptr)},
         {"remaining_ms", due ? Json(remaining_ms(*due, state.chain_time())) : Json(nullptr)}});
  }
  return out;
}

Json validator_json(const ProvedState& state, const validators::Config& config,
                    const AccountId& account, const std::optional<Candidate>& one) {
  const auto weight = weight_now(current_set(state), account);
  const Candidate candidate = one.value_or(Candidate{});
  return Json{{"account", to_json(account)},
              {"standing", standing_text(one)},
              {"weight", weight ? Json(*weight) : Json(nullptr)},
              {"bonded", to_json(candidate.bonded)},
              {"delegated", to_json(candidate.delegated)},
              {"unbonding", unbonding_json(state, config, candidate.unbonding)},
              {"registered_epoch", one ? Json(candidate.registered.value) : Json(nullptr)},
              {"last_named_epoch", one ? Json(candidate.last_named.value) : Json(nullptr)},
              {"consensus_key", one ? to_json(candidate.consensus_key) : Json(nullptr)},
              {"vrf_key", one ? to_json(candidate.vrf_key) : Json(nullptr)}};
}

CliResult<void> list_validators(Session& session) {
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const validators::Config config = TALLY_TRY(validators_config(*state));
  const validators::EpochInfo epoch = validators::epoch_info(*state);
  const ValidatorSet set = current_set(*state);
  Json json{{"epoch", epoch.epoch.value},
            {"first_block", epoch.first_block.value},
            {"members", set.members.size()},
            {"block", state->block_json()},
            {"validators", Json::array()}};
  Table table{{"validator", "standing", "weight now", "bond", "delegated", "last named"}, {}};
  for (const Listed& one : TALLY_TRY(everybody(*state, set))) {
    const auto weight = weight_now(set, one.account);
    const Candidate candidate = one.candidate.value_or(Candidate{});
    json["validators"].push_back(validator_json(*state, config, one.account, one.candidate));
    table.rows.push_back({to_ss58(one.account), standing_text(one.candidate),
                          weight ? std::to_string(*weight) : "-", to_text(candidate.bonded),
                          to_text(candidate.delegated), named_text(one.candidate)});
  }
  TALLY_TRY(state->whole());
  session.show(json, table);
  session.say(fmt::format("\nepoch {} began with block {}; {} validate, at most {}",
                          epoch.epoch.value, epoch.first_block.value, set.members.size(),
                          config.validators_max));
  return {};
}

CliResult<void> show_validator(Session& session, const AccountId& account) {
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const validators::Config config = TALLY_TRY(validators_config(*state));
  const auto candidate = validators::find(*state, account);
  const auto weight = weight_now(current_set(*state), account);
  TALLY_TRY(state->whole());
  if (!candidate && !weight) {
    return fail(Fault{Exit::not_found, "unknown_validator",
                      to_ss58(account) + " has nothing bound as a validator: `tally validator "
                                         "list` shows who has, `tally validator bond` begins"});
  }
  Json json = validator_json(*state, config, account, candidate);
  const Candidate one = candidate.value_or(Candidate{});
  Sheet sheet{{"validator", to_ss58(account)},
              {"standing", standing_text(candidate)},
              {"weight now", weight ? std::to_string(*weight) : "none: not in this epoch's set"},
              {"last named", named_text(candidate)},
              {"bond", to_text(one.bonded)}};
  for (const validators::Unbonding& part : one.unbonding) {
    sheet.emplace_back("unlocks", to_text(part.amount) + " " + leaves_text(*state, config, part));
  }
  sheet.emplace_back("delegated to it", to_text(one.delegated));
  json["delegations"] = Json::array();
  for (const AccountId& delegator : validators::kDelegators.get(*state, account)) {
    const auto found = validators::find_delegation(*state, account, delegator);
    const validators::Delegation delegation = found.value_or(validators::Delegation{});
    json["delegations"].push_back(
        {{"delegator", to_json(delegator)},
         {"bonded", to_json(delegation.bonded)},
         {"unbonding", unbonding_json(*state, config, delegation.unbonding)}});
    sheet.emplace_back("delegator", to_ss58(delegator) + " with " + to_text(delegation.bonded));
  }
  json["block"] = state->block_json();
  sheet.emplace_back("proved at block", std::to_string(state->head().number.value));
  TALLY_TRY(state->whole());
  session.show(json, sheet);
  return {};
}

}  // namespace tally::cli
