// tally validator: bonds, delegations, and evidence by hand.
#include <fmt/format.h>

#include <fstream>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "node/keystore/validator_keys.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/validator_view.hpp"

namespace tally::cli {

namespace {

constexpr std::size_t kEvidenceMax = 64 * 1024;

struct ValidatorOptions {
  std::string as;
  std::string validator;
  std::string value;
  std::string keys;
  std::string file;
};

CliResult<void> list(Session& session, const ValidatorOptions&) {
  return list_validators(session);
}

CliResult<void> show(Session& session, const ValidatorOptions& options) {
  const AccountId account = TALLY_TRY(session.account(options.validator));
  return show_validator(session, account);
}

CliResult<client::TxOutcome> carry_out(Session& session, const KeyPair& key,
                                       const validators::Call& call) {
  return session.submit(key, client::call_bytes(call));
}

// What stands behind a validator after a call of `key`'s.
CliResult<void> show_after(Session& session, const client::TxOutcome& outcome,
                           const AccountId& validator, const AccountId& by) {
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const validators::Config config = TALLY_TRY(validators_config(*state));
  const auto candidate = validators::find(*state, validator);
  const auto delegation = validators::find_delegation(*state, validator, by);
  TALLY_TRY(state->whole());
  Json json = outcome_json(outcome);
  json["validator"] =
      candidate ? validator_json(*state, config, validator, candidate) : Json(nullptr);
  json["delegation"] =
      delegation ? Json{{"delegator", to_json(by)},
                        {"bonded", to_json(delegation->bonded)},
                        {"unbonding", unbonding_json(*state, config, delegation->unbonding)}}
                 : Json(nullptr);
  Sheet sheet{{"validator", to_ss58(validator)}};
  if (candidate) {
    sheet.insert(sheet.end(), {{"standing", std::string(enumerator_name(candidate->standing))},
                               {"bond", to_text(candidate->bonded)},
                               {"delegated to it", to_text(candidate->delegated)}});
  } else {
    sheet.emplace_back("standing", "no validator any more");
  }
  const bool own = by == validator;
  const validators::UnbondingList none;
  const auto& parts =
      own ? (candidate ? candidate->unbonding : none) : (delegation ? delegation->unbonding : none);
  if (!own) {
    sheet.emplace_back("your delegation", to_text(delegation ? delegation->bonded : Balance{}));
  }
  for (const validators::Unbonding& part : parts) {
    sheet.emplace_back("unlocks", to_text(part.amount) + " " + leaves_text(*state, config, part));
  }
  if (!parts.empty()) sheet.emplace_back("then", "`tally validator withdraw` pays it out");
  sheet.emplace_back("fee", to_text(fee_of(outcome)));
  TALLY_TRY(state->whole());
  session.show(json, sheet);
  return {};
}

CliResult<validators::KeySecrets> key_secrets(Session& session, const std::string& from) {
  auto keys = keystore::dev_validator_keys(from);
  if (!from.starts_with("//")) {
    const std::string password = TALLY_TRY(session.password("Password of the keys in " + from));
    keys = keystore::load_validator_keys(from, password);
  }
  if (!keys.ok()) return fail(key_fault(keys.error()));
  return validators::KeySecrets{keys->consensus, keys->vrf};
}

CliResult<void> bond(Session& session, const ValidatorOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  validators::Call call = validators::BondMore{Compact<Balance>{value}};
  if (!options.keys.empty()) {
    const auto secrets = TALLY_TRY(key_secrets(session, options.keys));
    client::ChainClient* chain = TALLY_TRY(session.client());
    call = validators::Bond{
        validators::prove_keys({chain->root().genesis_hash, key.account()}, secrets),
        Compact<Balance>{value}};
  }
  const auto outcome = TALLY_TRY(carry_out(session, key, call));
  return show_after(session, outcome, key.account(), key.account());
}

CliResult<void> unbond(Session& session, const ValidatorOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome =
      TALLY_TRY(carry_out(session, key, validators::Unbond{Compact<Balance>{value}}));
  return show_after(session, outcome, key.account(), key.account());
}

CliResult<void> delegate(Session& session, const ValidatorOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const AccountId validator = TALLY_TRY(session.account(options.validator));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome =
      TALLY_TRY(carry_out(session, key, validators::Delegate{validator, Compact<Balance>{value}}));
  return show_after(session, outcome, validator, key.account());
}

CliResult<void> undelegate(Session& session, const ValidatorOptions& options) {
  const Balance value = TALLY_TRY(amount(options.value));
  const AccountId validator = TALLY_TRY(session.account(options.validator));
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome = TALLY_TRY(
      carry_out(session, key, validators::Undelegate{validator, Compact<Balance>{value}}));
  return show_after(session, outcome, validator, key.account());
}

CliResult<void> withdraw(Session& session, const ValidatorOptions& options) {
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const AccountId validator =
      options.validator.empty() ? key.account() : TALLY_TRY(session.account(options.validator));
  const auto outcome = TALLY_TRY(carry_out(session, key, validators::Withdraw{validator}));
  return show_after(session, outcome, validator, key.account());
}

CliResult<void> rejoin(Session& session, const ValidatorOptions& options) {
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome = TALLY_TRY(carry_out(session, key, validators::Rejoin{}));
  return show_after(session, outcome, key.account(), key.account());
}

// A file of a node's evidence folder: SCALE of the two votes.
CliResult<Evidence> read_evidence(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Fault{Exit::failure, "file", "cannot read " + path});
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const auto evidence = decode<Evidence>(as_bytes(bytes));
  if (bytes.size() <= kEvidenceMax && evidence.ok()) return *evidence;
  return fail(usage_fault(path + " must hold evidence as a node writes it (two votes, SCALE), " +
                          std::to_string(bytes.size()) + " other bytes came"));
}

CliResult<void> report(Session& session, const ValidatorOptions& options) {
  const Evidence evidence = TALLY_TRY(read_evidence(options.file));
  const auto id = evidence_id(evidence);
  if (!id) {
    return fail(usage_fault("the two votes of " + options.file +
                            " are no offence: they must be one validator's, of one view, and "
                            "exclude each other"));
  }
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome = TALLY_TRY(carry_out(session, key, validators::ReportEquivocation{evidence}));
  Json json = outcome_json(outcome);
  json["offence"] = to_json(*id);
  Sheet sheet{{"offence", fmt::format("{} in view {} of epoch {}", enumerator_name(id->kind),
                                      id->view.value, id->epoch.value)}};
  const auto records = client::decode_events(outcome.events.records);
  if (records.ok()) {
    if (const auto proved =
            client::find_event<validators::EquivocationProved>(*records, outcome.at.index)) {
      json["validator"] = to_json(proved->validator);
      json["reward"] = to_json(proved->reward);
      json["burned"] = to_json(proved->burned);
      sheet.insert(sheet.end(), {{"convicted", to_ss58(proved->validator)},
                                 {"your reward", to_text(proved->reward)},
                                 {"burned", to_text(proved->burned)}});
    }
  }
  sheet.emplace_back("fee", to_text(fee_of(outcome)));
  session.show(json, sheet);
  return {};
}

using Action = CliResult<void> (*)(Session&, const ValidatorOptions&);
using OptionsPtr = std::shared_ptr<ValidatorOptions>;

CLI::App* add(CLI::App& parent, Session& session, const char* name, const char* what, Action action,
              const OptionsPtr& options) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->callback([&session, options, action] {
    session.command = [&session, options, action] { return action(session, *options); };
  });
  return command;
}

void add_as(CLI::App& command, const OptionsPtr& options) {
  command.add_option("--as", options->as, "your account: a name of your wallet, or //Alice")
      ->required();
}

void add_own(CLI::App& validator, Session& session) {
  const auto bonded = std::make_shared<ValidatorOptions>();
  CLI::App* bonds =
      add(validator, session, "bond", "Become a validator, or raise your bond", bond, bonded);
  bonds->add_option("amount", bonded->value, "1000CC")->required();
  bonds->add_option(
      "--keys", bonded->keys,
      "folder of the validator's keys (`tallyd keys generate`), or //Alice; needed the "
      "first time");
  add_as(*bonds, bonded);
  bonds->footer(
      "The highest stakes validate, from the epoch after the next. Signing twice costs the whole\n"
      "bond and all that is delegated.\nExamples:\n"
      "  tally validator bond --as me --keys /var/lib/tallystick/keys 10000CC\n"
      "  tally validator bond --as me 500CC        more, keys known");

  const auto freed = std::make_shared<ValidatorOptions>();
  CLI::App* unbonds = add(validator, session, "unbond",
                          "Take back a part of your bond, or all of it", unbond, freed);
  unbonds->add_option("amount", freed->value, "500CC")->required();
  add_as(*unbonds, freed);
  unbonds->footer(
      "It answers for what you did until it is due.\nExample:\n"
      "  tally validator unbond --as me 500CC");

  const auto back = std::make_shared<ValidatorOptions>();
  CLI::App* rejoins =
      add(validator, session, "rejoin", "After downtime: may be named again", rejoin, back);
  add_as(*rejoins, back);
  rejoins->footer("Example:\n  tally validator rejoin --as me");
}

void add_delegations(CLI::App& validator, Session& session) {
  const auto to = std::make_shared<ValidatorOptions>();
  CLI::App* delegates = add(validator, session, "delegate",
                            "Raise a validator's stake with your credits", delegate, to);
  delegates->add_option("amount", to->value, "500CC")->required();
  delegates->add_option("--to", to->validator, "the validator")->required();
  add_as(*delegates, to);
  delegates->footer(
      "It is slashed with the validator's bond.\nExample:\n"
      "  tally validator delegate --as me --to //Alice 500CC");

  const auto from = std::make_shared<ValidatorOptions>();
  CLI::App* undelegates =
      add(validator, session, "undelegate", "Begin to take a delegation back", undelegate, from);
  undelegates->add_option("amount", from->value, "500CC")->required();
  undelegates->add_option("--from", from->validator, "the validator")->required();
  add_as(*undelegates, from);
  undelegates->footer("Example:\n  tally validator undelegate --as me --from //Alice 500CC");

  const auto out = std::make_shared<ValidatorOptions>();
  CLI::App* withdraws =
      add(validator, session, "withdraw", "Get back what has unbonded", withdraw, out);
  withdraws->add_option("--validator", out->validator,
                        "whom you delegated to (default: you are the validator yourself)");
  add_as(*withdraws, out);
  withdraws->footer("Example:\n  tally validator withdraw --as me");
}

}  // namespace

void add_validator(CLI::App& app, Session& session) {
  CLI::App* validator = app.add_subcommand("validator", "Validators: bonds, sets, evidence");
  validator->require_subcommand(1);
  const auto all = std::make_shared<ValidatorOptions>();
  CLI::App* lists = add(*validator, session, "list",
                        "Who has a bond, and who validates in this epoch", list, all);
  lists->footer("Example:\n  tally validator list");
  const auto one = std::make_shared<ValidatorOptions>();
  CLI::App* shows = add(*validator, session, "show",
                        "One validator: stake, what unlocks when, who delegated", show, one);
  shows->add_option("validator", one->validator, "address, name or //Alice")->required();
  shows->footer("Example:\n  tally validator show //Alice");
  add_own(*validator, session);
  add_delegations(*validator, session);

  const auto told = std::make_shared<ValidatorOptions>();
  CLI::App* reports = add(*validator, session, "report",
                          "Submit evidence that a validator signed twice", report, told);
  reports->add_option("file", told->file, "a file of a node's evidence/ folder")->required();
  add_as(*reports, told);
  reports->footer(
      "The reporter gets a tenth of the validator's own bond; the rest, and what was delegated, "
      "is\n"
      "burned. Nodes with a reporter key do this by themselves.\nExample:\n"
      "  tally validator report node/evidence/validator2-epoch5-view17-notarize.scale --as me");
}

}  // namespace tally::cli
