// tally keys: accounts in the wallet's folder.
#include <fmt/format.h>

#include <fstream>

#include "primitives/keystore/durable_file.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/session.hpp"

namespace tally::cli {

namespace {

struct KeyOptions {
  std::string name;
  std::string scheme = "ecdsa";
  std::size_t words = 12;
  std::string uri;
  std::string file;
  bool secret = false;
};

KeyScheme scheme_of(const std::string& name) {
  return name == "ed25519" ? KeyScheme::ed25519 : KeyScheme::ecdsa;
}

Json account_json(const client::WalletAccount& account) {
  return Json{{"name", account.name},
              {"account", to_json(account.account)},
              {"public_id", to_hex_prefixed(account.account)},
              {"scheme", std::string(enumerator_name(account.scheme))}};
}

Sheet account_sheet(const client::WalletAccount& account) {
  return {{"name", account.name},
          {"account", to_ss58(account.account)},
          {"scheme", std::string(enumerator_name(account.scheme))}};
}

CliResult<void> create(Session& session, const KeyOptions& options) {
  client::Wallet wallet = TALLY_TRY(session.wallet());
  const std::string password = TALLY_TRY(session.password("New password", true));
  const auto made =
      wallet.create({options.name, scheme_of(options.scheme), password, {}}, options.words);
  if (!made.ok()) return fail(key_fault(made.error()));
  Json json = account_json(made->account);
  json["mnemonic"] = made->mnemonic;
  json["file"] = wallet.file_of(options.name).string();
  Sheet sheet = account_sheet(made->account);
  sheet.emplace_back("file", wallet.file_of(options.name).string());
  sheet.emplace_back("mnemonic", made->mnemonic);
  session.show(json, sheet);
  session.say(
      "\nWrite the mnemonic down: it is shown only now, and it is the only way back to "
      "the\naccount when the file or its password is lost.");
  return {};
}

CliResult<void> import(Session& session, const KeyOptions& options) {
  client::Wallet wallet = TALLY_TRY(session.wallet());
  if (!options.file.empty()) {
    const auto imported = wallet.import_file(options.name, options.file);
    if (!imported.ok()) return fail(key_fault(imported.error()));
    session.show(account_json(*imported), account_sheet(*imported));
    return {};
  }
  std::string uri = options.uri;
  if (uri.empty()) {
    session.progress("reading a mnemonic, a 0x seed or a secret URI from the standard input");
    uri = read_stdin();
  } else if (!uri.starts_with("//")) {
    return fail(
        usage_fault("other users can read the command line: give --uri only for "
                    "development keys (//Alice); pipe a real secret to the standard input"));
  }
  const std::string password = TALLY_TRY(session.password("New password", true));
  const auto imported =
      wallet.import_uri({options.name, scheme_of(options.scheme), password, {}}, uri);
  if (!imported.ok()) return fail(key_fault(imported.error()));
  session.show(account_json(*imported), account_sheet(*imported));
  return {};
}

CliResult<void> list(Session& session) {
  const client::Wallet wallet = TALLY_TRY(session.wallet());
  const auto accounts = wallet.accounts();
  if (!accounts.ok()) return fail(key_fault(accounts.error()));
  Json json = Json::array();
  Table table{{"name", "account", "scheme"}, {}};
  for (const client::WalletAccount& account : *accounts) {
    json.push_back(account_json(account));
    table.rows.push_back(
        {account.name, to_ss58(account.account), std::string(enumerator_name(account.scheme))});
  }
  if (accounts->empty()) session.progress("no accounts yet: `tally keys new NAME` makes one");
  session.show(json, table);
  return {};
}

CliResult<void> export_key(Session& session, const KeyOptions& options) {
  const client::Wallet wallet = TALLY_TRY(session.wallet());
  const auto account = wallet.find(options.name);
  if (!account.ok()) return fail(key_fault(account.error()));
  if (options.secret) {
    const std::string password = TALLY_TRY(session.password("Password of " + options.name));
    const auto key = wallet.unlock(options.name, password);
    if (!key.ok()) return fail(key_fault(key.error()));
    Json json = account_json(*account);
    json["secret"] = to_hex_prefixed(key->secret().view());
    session.show(json, Sheet{{"secret", to_hex_prefixed(key->secret().view())}});
    return {};
  }
  const auto file = read_key_file(wallet.file_of(options.name));
  if (!file.ok()) return fail(key_fault(file.error()));
  if (options.file.empty()) {
    fmt::print("{}\n", file->to_json());
    return {};
  }
  const auto written = write_key_file(options.file, *file);
  if (!written.ok()) return fail(key_fault(written.error()));
  session.show(account_json(*account), Sheet{{"written", options.file}});
  return {};
}

void add_scheme(CLI::App& command, KeyOptions& options) {
  command.add_option("--scheme", options.scheme, "signature scheme")
      ->check(CLI::IsMember({"ecdsa", "ed25519"}))
      ->capture_default_str();
}

}  // namespace

void add_keys(CLI::App& app, Session& session) {
  auto options = std::make_shared<KeyOptions>();
  CLI::App* keys = app.add_subcommand("keys", "Accounts in your wallet");
  keys->require_subcommand(1);

  CLI::App* make = keys->add_subcommand("new", "Make an account with a new mnemonic");
  make->add_option("name", options->name, "a name of a-z, 0-9, - and _")->required();
  make->add_option("--words", options->words, "words of the mnemonic: 12, 15, 18, 21 or 24")
      ->capture_default_str();
  add_scheme(*make, *options);
  make->footer("Example:\n  tally keys new savings --words 24");
  make->callback([&session, options] {
    session.command = [&session, options] { return create(session, *options); };
  });

  CLI::App* bring = keys->add_subcommand("import", "Bring an account in from its secret or file");
  bring->add_option("name", options->name, "the name it gets here")->required();
  bring->add_option("--uri", options->uri, "a development key such as //Alice");
  bring->add_option("--file", options->file, "an encrypted key file; it keeps its password");
  add_scheme(*bring, *options);
  bring->footer(
      "Without --uri and --file the secret is read from the standard input.\nExamples:\n"
      "  tally keys import alice --uri //Alice\n"
      "  tally keys import savings < mnemonic.txt\n"
      "  tally keys import laptop --file laptop.json");
  bring->callback([&session, options] {
    session.command = [&session, options] { return import(session, *options); };
  });

  CLI::App* show = keys->add_subcommand("list", "Show the accounts");
  show->callback([&session] { session.command = [&session] { return list(session); }; });

  CLI::App* out = keys->add_subcommand("export", "Write out an encrypted key file, or the secret");
  out->add_option("name", options->name, "the account")->required();
  out->add_option("--file", options->file, "write the encrypted key file here");
  out->add_flag("--secret", options->secret,
                "show the secret itself; whoever sees it owns the account");
  out->footer(
      "Examples:\n  tally keys export savings --file savings.json\n"
      "  tally keys export savings --secret");
  out->callback([&session, options] {
    session.command = [&session, options] { return export_key(session, *options); };
  });
}

}  // namespace tally::cli
