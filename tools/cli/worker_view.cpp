#include "tools/cli/worker_view.hpp"

#include <fmt/format.h>

#include "modules/workers/storage.hpp"
#include "primitives/ss58.hpp"

namespace tally::cli {

namespace {

Json unbonding_json(const workers::UnbondingList& parts, TimestampMs now) {
  Json out = Json::array();
  for (const workers::Unbonding& part : parts) {
    out.push_back({{"amount", to_json(part.amount)},
                   {"until_ms", part.until.value},
                   {"remaining_ms", remaining_ms(part.until, now)}});
  }
  return out;
}

std::string unbonding_text(const workers::UnbondingList& parts, TimestampMs now) {
  std::string out;
  for (const workers::Unbonding& part : parts) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", to_text(part.amount),
                       until_text(part.until, now));
  }
  return out.empty() ? "nothing" : out;
}

std::string duty_text(workers::AuditBand band) {
  switch (band) {
    case workers::AuditBand::every_task:
      return "every task";
    case workers::AuditBand::one_in_ten:
      return "one task in ten";
    case workers::AuditBand::none:
      return "none by duty";
  }
  return {};
}

}  // namespace

CliResult<workers::Config> workers_config(const ProvedState& state) {
  const auto config = workers::kConfig.find(state);
  TALLY_TRY(state.whole());
  if (config) return *config;
  return fail(Fault{Exit::not_found, "not_found", "this chain has no workers module"});
}

std::optional<WorkerView> find_worker(const ProvedState& state, const workers::Config& config,
                                      const AccountId& account) {
  state.fetch({to_bytes(workers::kWorkers.key(account)), to_bytes(workers::kProfiles.key(account)),
               to_bytes(workers::kUptime.key(account)),
               to_bytes(workers::kPenalties.key(account))});
  auto record = workers::find(state, account);
  if (!record) return std::nullopt;
  WorkerView view{account,
                  *std::move(record),
                  workers::find_profile(state, account),
                  workers::kUptime.find(state, account),
                  workers::penalty_of(state, account),
                  0,
                  {},
                  {}};
  view.reputation = workers::reputation(state, config, account, state.chain_time());
  view.tier = workers::tier_of(view.reputation);
  return view;
}

CliResult<WorkerView> worker_in_full(const ProvedState& state, const AccountId& account) {
  const workers::Config config = TALLY_TRY(workers_config(state));
  auto view = find_worker(state, config, account);
  TALLY_TRY(state.whole());
  if (!view) {
    return fail(Fault{Exit::not_found, "unknown_worker",
                      to_ss58(account) + " never registered as a worker: `tally worker list` "
                                         "shows who did, `tally worker register` begins"});
  }
  for (const AccountId& delegator : workers::kDelegators.get(state, account)) {
    view->delegations.push_back({delegator, workers::kDelegations.get(state, account, delegator)});
  }
  TALLY_TRY(state.whole());
  return *std::move(view);
}

std::string worker_standing(const WorkerView& worker, const ProvedState& state) {
  const TimestampMs now = state.chain_time();
  if (worker.record.is_banned(now)) {
    return "banned, " + duration_text(remaining_ms(*worker.record.banned_until, now)) + " left";
  }
  return worker.record.registered ? "registered" : "left";
}

std::string offer_text(const workers::Offer& offer) {
  return fmt::format("{} {} per {}", task::to_text(offer.type), to_text(offer.price),
                     offer.per_units);
}

Json worker_json(const WorkerView& worker, const ProvedState& state) {
  const workers::Worker& record = worker.record;
  const TimestampMs now = state.chain_time();
  Json offers = Json::array();
  for (const workers::Offer& offer : record.offers) offers.push_back(to_json(offer));
  Json rewards = Json::array();
  for (const workers::Reward& reward : record.rewards) {
    rewards.push_back({{"amount", to_json(reward.amount)},
                       {"vests_at_ms", reward.vests_at.value},
                       {"remaining_ms", remaining_ms(reward.vests_at, now)}});
  }
  Json delegations = Json::array();
  for (const auto& [delegator, delegation] : worker.delegations) {
    delegations.push_back({{"delegator", to_json(delegator)},
                           {"bonded", to_json(delegation.bonded)},
                           {"unbonding", unbonding_json(delegation.unbonding, now)}});
  }
  const bool banned = record.is_banned(now);
  return Json{
      {"account", to_json(worker.account)},
      {"registered", record.registered},
      {"endpoint", worker.profile ? Json(worker.profile->endpoint) : Json(nullptr)},
      {"environment", worker.profile ? to_json(worker.profile->environment) : Json(nullptr)},
      {"offers", offers},
      {"stake",
       {{"bonded", to_json(record.bonded)},
        {"unbonding", unbonding_json(record.unbonding, now)},
        {"frozen", to_json(record.frozen)},
        {"slash_due", to_json(record.slash_due)},
        {"delegated", to_json(record.delegated)},
        {"effective", to_json(record.effective())},
        {"covers", to_json(record.cover())}}},
      {"banned", banned},
      {"ban_remaining_ms", banned ? remaining_ms(*record.banned_until, now) : 0},
      {"done", record.done},
      {"failed", record.failed},
      {"penalty", worker.penalty},
      {"reputation", worker.reputation},
      {"tier", std::string(enumerator_name(worker.tier))},
      {"audit_band", std::string(enumerator_name(workers::audit_band(record)))},
      {"rewards", rewards},
      {"registered_at_ms", record.registered_at.value},
      {"last_seen_ms", worker.uptime ? Json(worker.uptime->last_seen.value) : Json(nullptr)},
      {"delegations", delegations},
      {"block", state.block_json()}};
}

Sheet worker_sheet(const WorkerView& worker, const ProvedState& state) {
  const workers::Worker& record = worker.record;
  const TimestampMs now = state.chain_time();
  Sheet sheet{{"worker", to_ss58(worker.account)},
              {"standing", worker_standing(worker, state)},
              {"registered", ago_text(record.registered_at, state.header_time())}};
  if (worker.profile) sheet.emplace_back("reached at", worker.profile->endpoint);
  for (const workers::Offer& offer : record.offers) sheet.emplace_back("offers", offer_text(offer));
  sheet.insert(
      sheet.end(),
      {{"own stake",
        to_text(record.bonded) + ", unbonding: " + unbonding_text(record.unbonding, now)},
       {"frozen by disputes", to_text(record.frozen)},
       {"covers new tasks for", to_text(record.cover())},
       {"delegated to it", to_text(record.delegated)},
       {"reputation", fmt::format("{} ({}), penalty {}", worker.reputation,
                                  enumerator_name(worker.tier), worker.penalty)},
       {"tasks", fmt::format("{} done, {} failed", record.done, record.failed)},
       {"to be checked", duty_text(workers::audit_band(record))},
       {"last heartbeat",
        worker.uptime ? ago_text(worker.uptime->last_seen, state.header_time()) : "never"}});
  for (const workers::Reward& reward : record.rewards) {
    sheet.emplace_back("reward",
                       to_text(reward.amount) + " vests " + until_text(reward.vests_at, now));
  }
  for (const auto& [delegator, delegation] : worker.delegations) {
    sheet.emplace_back("delegator",
                       to_ss58(delegator) + " with " + to_text(delegation.bonded) +
                           ", unbonding: " + unbonding_text(delegation.unbonding, now));
  }
  sheet.emplace_back("proved at block", std::to_string(state.head().number.value));
  return sheet;
}

}  // namespace tally::cli
