// tally dispute: a wrong result, proved and paid for.
#include "tools/cli/dispute.hpp"

#include <fmt/format.h>

#include "client-sdk/chain/calls.hpp"
#include "modules/disputes/storage.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/dispute_view.hpp"

namespace tally::cli {

namespace {

struct DisputeOptions {
  std::string number;
  std::string as;
  std::string party;
  std::uint32_t count = 20;
};

bool takes_part(const disputes::Dispute& dispute, const AccountId& account) {
  if (dispute.challenger == account || dispute.requester == account || dispute.worker == account) {
    return true;
  }
  for (const disputes::Seat& seat : dispute.seats) {
    if (seat.verifier == account) return true;
  }
  return false;
}

// From the newest down. Numbers are a counter, so none is missing; records of disputes that are
// long over are gone.
CliResult<void> list(Session& session, const DisputeOptions& options) {
  std::optional<AccountId> party;
  if (!options.party.empty()) party = TALLY_TRY(session.account(options.party));
  const auto state = TALLY_TRY(ProvedState::newest(session));
  static_cast<void>(TALLY_TRY(disputes_config(*state)));
  Json json = Json::array();
  Table table{{"dispute", "phase", "worker", "challenger", "task", "bond", "verdict"}, {}};
  std::uint64_t number = disputes::kNext.get(*state).value;
  for (; number > 0 && json.size() < options.count; --number) {
    const DisputeNumber at(number - 1);
    const auto record = disputes::find(*state, at);
    if (!record) {
      // Records go in the order of their ends, which is nearly that of their numbers.
      if (number + options.count < disputes::kNext.get(*state).value) break;
      continue;
    }
    if (party && !takes_part(*record, *party)) continue;
    const auto view = TALLY_TRY(find_dispute(*state, at));
    json.push_back(dispute_json(view));
    table.rows.push_back(
        {std::to_string(at.value), std::string(enumerator_name(record->phase)),
         to_ss58(record->worker), to_ss58(record->challenger),
         std::string(task::to_text(record->type)), to_text(record->bond),
         record->verdict ? std::string(enumerator_name(record->verdict->outcome)) : "-"});
  }
  TALLY_TRY(state->whole());
  session.show(json, table);
  if (json.empty()) session.say("no dispute that the state still knows");
  return {};
}

CliResult<void> show(Session& session, const DisputeOptions& options) {
  const DisputeNumber number = TALLY_TRY(dispute_number(options.number));
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const DisputeView view = TALLY_TRY(find_dispute(*state, number));
  show_dispute(session, view);
  return {};
}

CliResult<void> appeal(Session& session, const DisputeOptions& options) {
  const DisputeNumber number = TALLY_TRY(dispute_number(options.number));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome =
      TALLY_TRY(session.submit(key, client::call_bytes(disputes::AppealCall{number})));
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const DisputeView dispute = TALLY_TRY(find_dispute(*state, number));
  Json json = outcome_json(outcome);
  json["dispute"] = dispute_json(dispute);
  const auto& made = dispute.record.appeal;
  session.show(json, Sheet{{"dispute", std::to_string(number.value)},
                           {"phase", phase_text(dispute)},
                           {"bond", made ? to_text(made->bond) : "-"},
                           {"fee", to_text(fee_of(outcome))}});
  return {};
}

using Action = CliResult<void> (*)(Session&, const DisputeOptions&);

CLI::App* add(CLI::App& dispute, Session& session, const char* name, const char* what,
              Action action, const std::shared_ptr<DisputeOptions>& options) {
  CLI::App* command = dispute.add_subcommand(name, what);
  command->callback([&session, options, action] {
    session.command = [&session, options, action] { return action(session, *options); };
  });
  return command;
}

}  // namespace

void add_dispute(CLI::App& app, Session& session) {
  CLI::App* dispute = app.add_subcommand("dispute", "Prove a wrong result, and have the liar pay");
  dispute->require_subcommand(1);
  add_dispute_open(*dispute, session);
  add_dispute_watch(*dispute, session);

  auto one = std::make_shared<DisputeOptions>();
  CLI::App* shows =
      add(*dispute, session, "show", "A dispute: seats, votes, verdict, money", show, one);
  shows->add_option("number", one->number, "the dispute's number")->required();
  shows->footer("Example:\n  tally dispute show 0");

  auto all = std::make_shared<DisputeOptions>();
  CLI::App* lists = add(*dispute, session, "list", "Disputes, the newest first", list, all);
  lists->add_option("--of", all->party, "only those that this account takes part in");
  lists->add_option("--count", all->count, "at most so many")->capture_default_str();
  lists->footer("Examples:\n  tally dispute list\n  tally dispute list --of //Ferdie");

  add_dispute_draw(*dispute, session);
  auto against = std::make_shared<DisputeOptions>();
  CLI::App* appeals = add(*dispute, session, "appeal",
                          "The loser calls a larger panel, at double bond", appeal, against);
  appeals->add_option("number", against->number, "the dispute's number")->required();
  appeals->add_option("--as", against->as, "your account: the challenger's or the worker's")
      ->required();
  appeals->footer(
      "Within one window after a verdict, and once: 21 fresh verifiers decide, finally. Whoever\n"
      "loses the appeal pays its bond too.\nExample:\n  tally dispute appeal 0 --as me");
}

}  // namespace tally::cli
