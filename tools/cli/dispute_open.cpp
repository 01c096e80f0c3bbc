// tally dispute open: from a receipt file to a dispute on the chain.
#include <fmt/format.h>

#include <iostream>

#include "client-sdk/content/server.hpp"
#include "client-sdk/dispute/open.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/dispute.hpp"
#include "tools/cli/dispute_view.hpp"

namespace tally::cli {

namespace {

struct OpenOptions {
  std::string receipt;
  std::string as;
  std::string reason;
  std::vector<std::string> locations;
  std::string serve;
  bool yes = false;
};

Fault dispute_fault(const dispute::DisputeError& error) {
  const auto exit = [&] {
    if (error.code == "file") return Exit::failure;
    if (error.code == "network") return Exit::unreachable;
    if (error.code == "declined") return Exit::interrupted;
    if (error.code == "no_location") return Exit::usage;
    return Exit::refused;
  }();
  const char* hint = error.code == "no_location" ? "; `--serve HOST:PORT` does both" : "";
  return {exit, error.code, error.message + hint};
}

Json plan_json(const dispute::DisputePlan& plan) {
  const task::Receipt& receipt = plan.file.receipt.receipt;
  const dispute::AtStake& stake = plan.at_stake;
  return Json{{"receipt_hash", to_json(task::receipt_hash(receipt))},
              {"worker", to_json(receipt.worker)},
              {"type", std::string(task::to_text(receipt.type))},
              {"task_id", receipt.task_id},
              {"output_hash", to_json(receipt.output_hash)},
              {"expected", plan.file.check ? to_json(plan.file.check->expected) : Json(nullptr)},
              {"vote_fee", to_json(stake.stakes.fee)},
              {"bond", to_json(stake.stakes.bond)},
              {"appeal_bond", to_json(stake.stakes.appeal_bond)},
              {"award", to_json(stake.award)},
              {"burn", to_json(stake.burn)},
              {"worker_covers", to_json(stake.worker_covers)},
              {"free", to_json(stake.challenger_free)},
              {"left_ms", stake.left.value},
              {"drawable", stake.drawable},
              {"warnings", plan.warnings}};
}

Sheet plan_sheet(const dispute::DisputePlan& plan) {
  const task::Receipt& receipt = plan.file.receipt.receipt;
  const dispute::AtStake& stake = plan.at_stake;
  Sheet sheet{{"task", fmt::format("{} {}, for {}", task::to_text(receipt.type), receipt.task_id,
                                   to_text(receipt.price))},
              {"worker", to_ss58(receipt.worker)},
              {"it signed", to_hex_prefixed(receipt.output_hash)}};
  if (plan.file.check) {
    sheet.emplace_back("this machine got", to_hex_prefixed(plan.file.check->expected));
  }
  sheet.insert(
      sheet.end(),
      {{"held of you",
        to_text(stake.stakes.bond) + ", and you have " + to_text(stake.challenger_free) + " free"},
       {"frozen of the worker", to_text(stake.worker_covers)},
       {"if you are right", "all of your bond comes back, and " + to_text(stake.award) + " more"},
       {"if you are wrong",
        fmt::format("{} goes to the worker, {} is burned, and {} to each "
                    "verifier that says so",
                    to_text(stake.award), to_text(stake.burn), to_text(stake.stakes.fee))},
       {"who decides",
        fmt::format("3 of {} verifiers, drawn by the chain; more if they differ", stake.drawable)},
       {"verifiers have", duration_text(stake.stakes.commit_window.value) + " to do it again"},
       {"time left to dispute", duration_text(stake.left.value)}});
  for (const std::string& warning : plan.warnings) sheet.emplace_back("WARNING", warning);
  return sheet;
}

bool agrees(const Session& session, const OpenOptions& options, const dispute::DisputePlan& plan) {
  if (!session.options.json) session.show(Json(), plan_sheet(plan));
  if (options.yes) return true;
  std::cerr << "\nOpen the dispute? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// The inputs of the receipts' folder, for verifiers, while the dispute runs.
CliResult<std::unique_ptr<content::ContentServer>> serve_inputs(const OpenOptions& options) {
  const auto folder = std::filesystem::path(options.receipt).parent_path().parent_path();
  auto receipts = dispute::ReceiptFolder::open(folder);
  if (!receipts.ok()) return fail(file_fault(receipts.error()));
  auto inputs = std::make_shared<content::ContentFolder>(receipts->inputs());
  auto server = content::ContentServer::start(
      {.listen = options.serve}, [inputs](const Hash& hash) { return inputs->get(hash); });
  if (!server.ok()) return fail(Fault{Exit::failure, "listen", server.error().message});
  return *std::move(server);
}

CliResult<void> open(Session& session, const OpenOptions& options) {
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  client::ChainClient* chain = TALLY_TRY(session.client());
  std::unique_ptr<content::ContentServer> server;
  dispute::DisputeRequest request{
      .receipt_file = options.receipt, .reason = options.reason, .locations = options.locations};
  if (!options.serve.empty()) {
    server = TALLY_TRY(serve_inputs(options));
    const std::string host = options.serve.substr(0, options.serve.rfind(':'));
    if (request.locations.empty()) {
      request.locations.push_back(fmt::format("{}:{}", host, server->port()));
    }
  }
  Json json;
  const auto opened = dispute::open_dispute(*chain, key, request, [&](const auto& plan) {
    json = plan_json(plan);
    return agrees(session, options, plan);
  });
  if (!opened.ok()) return fail(dispute_fault(opened.error()));
  session.save_trust();
  json["number"] = opened->number.value;
  json.update(outcome_json(opened->outcome));
  session.show(json,
               Sheet{{"dispute", std::to_string(opened->number.value)},
                     {"final in block", std::to_string(opened->outcome.at.number.value)},
                     {"fee", to_text(fee_of(opened->outcome))},
                     {"follow it", fmt::format("tally dispute watch {}", opened->number.value)}});
  if (!server) return {};
  session.progress(
      "serving the input until the dispute ends; Ctrl-C ends that, and loses it if a "
      "verifier still needs the input");
  return watch_dispute(session, opened->number.value);
}

}  // namespace

void add_dispute_open(CLI::App& dispute, Session& session) {
  auto options = std::make_shared<OpenOptions>();
  CLI::App* opens =
      dispute.add_subcommand("open", "Challenge a receipt: say that its output is wrong");
  opens
      ->add_option("receipt", options->receipt,
                   "receipt file of the task, as `tally task` leaves it")
      ->required();
  opens->add_option("--as", options->as, "your account: who ordered the task")->required();
  opens->add_option("--reason", options->reason, "for people, at most 256 bytes")->required();
  opens->add_flag("--yes", options->yes, "do not ask");
  opens->add_option("--serve", options->serve,
                    "host:port: serve the input to verifiers from here until the dispute ends; "
                    "needed for inputs that do not fit into a block");
  opens->add_option("--at", options->locations,
                    "host:port where verifiers find the input, if not as --serve says");
  opens->footer(
      "Shows what is at stake, asks, and prints the dispute's number. The loser pays the "
      "verifiers,\n"
      "the winner's award and the burn. A receipt can be disputed for a day.\nExample:\n"
      "  tally dispute open receipts/12ab…/7.receipt --as me --reason \"the count is wrong\"");
  opens->callback([&session, options] {
    session.command = [&session, options] { return open(session, *options); };
  });
}

}  // namespace tally::cli
