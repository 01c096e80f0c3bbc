// tally account, tally transfer: balances and payments on the chain.
#include <fmt/format.h>

#include "client-sdk/chain/calls.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/session.hpp"

namespace tally::cli {

namespace {

struct TransferOptions {
  std::string from;
  std::string to;
  std::string value;
  std::string tip = "0uCC";
  bool all = false;
};

CliResult<void> show_account(Session& session, const std::string& who) {
  const AccountId id = TALLY_TRY(session.account(who));
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto head = TALLY_TRY(or_fault(chain->finalized()));
  const auto info = TALLY_TRY(or_fault(chain->account(id)));
  session.save_trust();
  const Balance total = checked_add(info.data.free, info.data.reserved).value_or(info.data.free);
  Json json{{"account", to_json(id)},
            {"exists", info.alive()},
            {"nonce", info.nonce.value},
            {"free", to_json(info.data.free)},
            {"reserved", to_json(info.data.reserved)},
            {"frozen", to_json(info.data.frozen)},
            {"total", to_json(total)},
            {"block", {{"number", head.number.value}, {"hash", to_json(head.hash)}}}};
  session.show(json, Sheet{{"account", to_ss58(id)},
                           {"free", to_text(info.data.free)},
                           {"held", to_text(info.data.reserved)},
                           {"total", to_text(total)},
                           {"nonce", std::to_string(info.nonce.value)},
                           {"proved at block", std::to_string(head.number.value)}});
  return {};
}

CliResult<void> transfer(Session& session, const TransferOptions& options) {
  if (options.all == !options.value.empty()) {
    return fail(usage_fault("give an amount such as 1.5CC, or --all"));
  }
  const AccountId to = TALLY_TRY(session.account(options.to));
  const Balance tip = TALLY_TRY(amount(options.tip));
  credits::Call call = credits::TransferAll{AddressId{to}};
  if (!options.all) {
    const Balance value = TALLY_TRY(amount(options.value));
    call = credits::Transfer{AddressId{to}, {value}};
  }
  const KeyPair key = TALLY_TRY(session.signer(options.from));
  const auto outcome = TALLY_TRY(session.submit(key, client::call_bytes(call), tip));
  Json json = outcome_json(outcome);
  json["from"] = to_json(key.account());
  json["to"] = to_json(to);
  session.show(json, outcome_sheet(outcome));
  return {};
}

}  // namespace

void add_account(CLI::App& app, Session& session) {
  auto who = std::make_shared<std::string>();
  CLI::App* account = app.add_subcommand("account", "Balances of an account, proved");
  account->add_option("account", *who, "name, address or //Alice")->required();
  account->footer(
      "Examples:\n  tally account alice\n"
      "  tally account 5C7C2Z5sWbytvHpuLTvzKunnnRwQxft1jiqrLD5rhucQ5S9X --json");
  account->callback([&session, who] {
    session.command = [&session, who] { return show_account(session, *who); };
  });

  auto options = std::make_shared<TransferOptions>();
  CLI::App* pay = app.add_subcommand("transfer", "Pay on the chain, and wait until it is final");
  pay->add_option("--from", options->from, "who pays: a name of your wallet, or //Alice")
      ->required();
  pay->add_option("--to", options->to, "who is paid: name, address or //Bob")->required();
  pay->add_option("amount", options->value, "1.5CC, 20mCC, 300uCC");
  pay->add_flag("--all", options->all, "all that is free; the account ends if nothing is held");
  pay->add_option("--tip", options->tip, "for the proposer, to go first")->capture_default_str();
  pay->footer(
      "Examples:\n  tally transfer --from alice --to //Bob 1.5CC\n"
      "  tally transfer --from //Alice --to savings 250mCC --json");
  pay->callback([&session, options] {
    session.command = [&session, options] { return transfer(session, *options); };
  });
}

}  // namespace tally::cli
