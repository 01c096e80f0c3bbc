// tally worker: who sells compute here, and what stands behind it.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/task/specs.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/worker_view.hpp"

namespace tally::cli {

namespace {

struct WorkerOptions {
  std::string as;
  std::string worker;
  std::string type;
  bool all = false;
};

// Of this program's environment, from the chain's own index: proved, and none is missing.
std::set<AccountId> in_pools(const ProvedState& state, const std::string& type) {
  std::set<AccountId> found;
  for (const auto& entry : tally_describe_enum(task::TaskType{})) {
    if (!type.empty() && entry.name != type) continue;
    for (const AccountId& account :
         workers::pool(state, {entry.value, task::executor_environment()})) {
      found.insert(account);
    }
  }
  return found;
}

// Everybody who ever registered, as the node tells: each is proved, that none is missing is not.
CliResult<std::set<AccountId>> ever_registered(Session& session) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  std::set<AccountId> found;
  for (const auto& [key, value] :
       TALLY_TRY(or_fault(chain->scan(to_bytes(workers::kWorkers.prefix))))) {
    if (const auto keys = workers::kWorkers.keys_of(key)) found.insert(std::get<0>(*keys));
  }
  return found;
}

std::string prices_of(const WorkerView& worker) {
  std::string out;
  for (const workers::Offer& offer : worker.record.offers) {
    out += (out.empty() ? "" : ", ") + offer_text(offer);
  }
  return out.empty() ? "-" : out;
}

CliResult<void> list(Session& session, const WorkerOptions& options) {
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const workers::Config config = TALLY_TRY(workers_config(*state));
  const auto accounts =
      options.all ? TALLY_TRY(ever_registered(session)) : in_pools(*state, options.type);
  std::vector<WorkerView> found;
  for (const AccountId& account : accounts) {
    if (auto worker = find_worker(*state, config, account)) found.push_back(*std::move(worker));
  }
  TALLY_TRY(state->whole());
  std::stable_sort(found.begin(), found.end(), [](const WorkerView& a, const WorkerView& b) {
    return a.reputation != b.reputation ? a.reputation > b.reputation
                                        : a.record.effective() > b.record.effective();
  });
  Json json = Json::array();
  Table table{{"worker", "standing", "tier", "score", "own stake", "delegated", "last seen",
               "reached at", "prices"},
              {}};
  for (const WorkerView& worker : found) {
    json.push_back(worker_json(worker, *state));
    table.rows.push_back(
        {to_ss58(worker.account), worker_standing(worker, *state),
         std::string(enumerator_name(worker.tier)), std::to_string(worker.reputation),
         to_text(worker.record.bonded), to_text(worker.record.delegated),
         worker.uptime ? ago_text(worker.uptime->last_seen, state->header_time()) : "never",
         worker.profile ? worker.profile->endpoint : "-", prices_of(worker)});
  }
  session.show(json, table);
  if (found.empty()) session.say("nobody; `tally worker register` begins");
  return {};
}

CliResult<void> show_worker(Session& session, const WorkerOptions& options) {
  const AccountId account = TALLY_TRY(session.account(options.worker));
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const WorkerView worker = TALLY_TRY(worker_in_full(*state, account));
  session.show(worker_json(worker, *state), worker_sheet(worker, *state));
  return {};
}

CliResult<void> carry_out(Session& session, const WorkerOptions& options,
                          const workers::Call& call) {
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome = TALLY_TRY(session.submit(key, client::call_bytes(call)));
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const WorkerView worker = TALLY_TRY(worker_in_full(*state, key.account()));
  Json json = outcome_json(outcome);
  json["worker"] = worker_json(worker, *state);
  Sheet sheet = worker_sheet(worker, *state);
  sheet.emplace_back("fee", to_text(fee_of(outcome)));
  session.show(json, sheet);
  return {};
}

CliResult<void> deregister(Session& session, const WorkerOptions& options) {
  return carry_out(session, options, workers::Deregister{});
}
CliResult<void> heartbeat(Session& session, const WorkerOptions& options) {
  return carry_out(session, options, workers::Heartbeat{});
}

using Action = CliResult<void> (*)(Session&, const WorkerOptions&);

CLI::App* add(CLI::App& worker, Session& session, const char* name, const char* what, Action action,
              const std::shared_ptr<WorkerOptions>& options) {
  CLI::App* command = worker.add_subcommand(name, what);
  command->callback([&session, options, action] {
    session.command = [&session, options, action] { return action(session, *options); };
  });
  return command;
}

void add_as(CLI::App& command, const std::shared_ptr<WorkerOptions>& options) {
  command.add_option("--as", options->as, "the worker's account: a name of your wallet, //Ferdie")
      ->required();
}

}  // namespace

void add_worker(CLI::App& app, Session& session) {
  CLI::App* worker = app.add_subcommand("worker", "Workers: stake, reputation, prices");
  worker->require_subcommand(1);
  add_worker_registration(*worker, session);

  auto which = std::make_shared<WorkerOptions>();
  CLI::App* lists =
      add(*worker, session, "list", "Registered workers, the best first", list, which);
  lists->add_option("--type", which->type, "only those that take this type of task")
      ->check(CLI::IsMember({"prime_calculation", "vector_search", "image_resize"}));
  lists->add_flag("--all", which->all, "everybody who ever registered, other environments too");
  lists->footer(
      "Score: 1000 x accuracy^2 x uptime x stake weight, less penalties. Tiers: elite from 950,\n"
      "trusted 850, standard 700, probation 500, restricted below.\nExamples:\n"
      "  tally worker list\n  tally worker list --type vector_search --json");

  auto one = std::make_shared<WorkerOptions>();
  CLI::App* shows = add(*worker, session, "show", "One worker in full", show_worker, one);
  shows->add_option("worker", one->worker, "address, name or //Ferdie")->required();
  shows->footer("Example:\n  tally worker show //Ferdie");

  auto leaver = std::make_shared<WorkerOptions>();
  CLI::App* leaves = add(*worker, session, "deregister",
                         "Take no more tasks; all stake begins to unbond", deregister, leaver);
  add_as(*leaves, leaver);
  leaves->footer(
      "What a dispute has frozen stays until its verdict; the record and its history stay for "
      "ever.\n"
      "Example:\n  tally worker deregister --as me");

  auto beat = std::make_shared<WorkerOptions>();
  CLI::App* beats = add(*worker, session, "heartbeat",
                        "Say that the worker is up: uptime counts it", heartbeat, beat);
  add_as(*beats, beat);
  beats->footer(
      "tally-worker does this by itself. One an interval counts; vested rewards are paid with it.\n"
      "Example:\n  tally worker heartbeat --as me");
}

}  // namespace tally::cli
