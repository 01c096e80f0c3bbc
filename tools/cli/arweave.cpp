// tally arweave: the wallets that pay for storage on Arweave.
#include <fmt/format.h>

#include <fstream>

#include "client-sdk/arweave/wallet.hpp"
#include "client-sdk/content/files.hpp"
#include "tools/cli/stores.hpp"

namespace tally::cli {

namespace {

constexpr std::uint64_t kMaxJwkBytes = 16 << 10;

struct ArweaveOptions {
  StoreOptions store;
  std::string name;
  std::string file;
};

CliResult<arweave::WalletFolder> wallets(Session& session) {
  return arweave::WalletFolder(TALLY_TRY(session.wallet()).folder());
}

Json entry_json(const arweave::WalletEntry& entry) {
  return Json{{"name", entry.name}, {"address", entry.address}};
}
Sheet entry_sheet(const arweave::WalletEntry& entry) {
  return {{"name", entry.name}, {"address", entry.address}};
}

CliResult<void> keep(Session& session, const ArweaveOptions& options, const arweave::RsaKey& key) {
  const arweave::WalletFolder folder = TALLY_TRY(wallets(session));
  const std::string password = TALLY_TRY(session.password("New password", true));
  const auto stored = folder.store(options.name, key, password);
  if (!stored.ok()) return fail(key_fault(stored.error()));
  Json json = entry_json(*stored);
  json["file"] = folder.file_of(options.name).string();
  Sheet sheet = entry_sheet(*stored);
  sheet.emplace_back("file", folder.file_of(options.name).string());
  session.show(json, sheet);
  session.say("\nKeep a copy of this file: without it, what the wallet holds is lost.");
  return {};
}

CliResult<void> create(Session& session, const ArweaveOptions& options) {
  session.progress("making an RSA key of 4096 bits");
  return keep(session, options, arweave::RsaKey::generate());
}

CliResult<void> import(Session& session, const ArweaveOptions& options) {
  const auto text = content::read_whole(options.file, kMaxJwkBytes);
  if (!text.ok()) return fail(file_fault(text.error()));
  const auto key = arweave::RsaKey::from_jwk(as_text(*text));
  if (!key.ok()) return fail(key_fault({options.file + ": " + key.error().message}));
  return keep(session, options, *key);
}

CliResult<void> show(Session& session, const ArweaveOptions& options) {
  const arweave::WalletFolder folder = TALLY_TRY(wallets(session));
  if (!options.name.empty()) {
    const auto entry = folder.find(options.name);
    if (!entry.ok()) return fail(key_fault(entry.error()));
    session.show(entry_json(*entry), entry_sheet(*entry));
    return {};
  }
  const auto all = folder.all();
  if (!all.ok()) return fail(key_fault(all.error()));
  Json json = Json::array();
  Table table{{"name", "address"}, {}};
  for (const arweave::WalletEntry& entry : *all) {
    json.push_back(entry_json(entry));
    table.rows.push_back({entry.name, entry.address});
  }
  if (all->empty()) {
    session.progress("no Arweave wallets yet: `tally arweave wallet new NAME` makes one");
  }
  session.show(json, table);
  return {};
}

CliResult<void> balance(Session& session, const ArweaveOptions& options) {
  std::string address = options.name;
  if (!content_id_is_valid(StoreKind::arweave, address)) {
    const auto entry = TALLY_TRY(wallets(session)).find(options.name);
    if (!entry.ok()) return fail(key_fault(entry.error()));
    address = entry->address;
  }
  const arweave::Client client = TALLY_TRY(arweave_client(options.store));
  const auto amount = client.balance(address, session.stop);
  if (!amount.ok()) return fail(store_fault(amount.error()));
  session.show(Json{{"address", address}, {"winston", std::to_string(*amount)}},
               Sheet{{"address", address}, {"balance", winston_text(*amount)}});
  return {};
}

}  // namespace

void add_arweave(CLI::App& app, Session& session) {
  auto options = std::make_shared<ArweaveOptions>();
  CLI::App* group = app.add_subcommand("arweave", "Permanent storage on Arweave");
  group->require_subcommand(1);
  CLI::App* wallet = group->add_subcommand("wallet", "The wallets that pay for it");
  wallet->require_subcommand(1);

  CLI::App* make = wallet->add_subcommand("new", "Make a wallet with a new RSA key");
  make->add_option("name", options->name, "a name of a-z, 0-9, - and _")->required();
  make->footer("Example:\n  tally arweave wallet new storage");
  make->callback([&session, options] {
    session.command = [&session, options] { return create(session, *options); };
  });

  CLI::App* bring = wallet->add_subcommand("import", "Bring a wallet in from its JWK file");
  bring->add_option("name", options->name, "the name it gets here")->required();
  bring->add_option("jwk", options->file, "the JWK, as Arweave's wallets export it")->required();
  bring->footer(
      "The JWK is not encrypted: delete it once the wallet is here and copied.\n"
      "Example:\n  tally arweave wallet import storage arweave-keyfile.json");
  bring->callback([&session, options] {
    session.command = [&session, options] { return import(session, *options); };
  });

  CLI::App* look = wallet->add_subcommand("show", "Show a wallet's address, or all wallets");
  look->add_option("name", options->name, "the wallet; all without it");
  look->callback([&session, options] {
    session.command = [&session, options] { return show(session, *options); };
  });

  CLI::App* ask = wallet->add_subcommand("balance", "Ask a gateway what a wallet holds");
  ask->add_option("wallet", options->name, "a wallet's name, or an Arweave address")->required();
  add_gateway_option(*ask, options->store);
  ask->footer(
      "Examples:\n  tally arweave wallet balance storage\n"
      "  tally arweave wallet balance storage --gateway http://127.0.0.1:1984");
  ask->callback([&session, options] {
    session.command = [&session, options] { return balance(session, *options); };
  });
}

}  // namespace tally::cli
