#include "tools/cli/stores.hpp"

#include "client-sdk/arweave/store.hpp"
#include "client-sdk/arweave/wallet.hpp"
#include "client-sdk/storage/directory.hpp"
#include "client-sdk/storage/ipfs.hpp"
#include "runtime/call.hpp"
#include "tools/cli/hints.hpp"

namespace tally::cli {

namespace {

constexpr const char* kDefaultGateway = "https://arweave.net";
constexpr const char* kDefaultIpfsGateway = "https://ipfs.io";
constexpr std::uint64_t kWinstonPerAr = 1'000'000'000'000;
constexpr std::size_t kArDigits = 12;

std::filesystem::path data_folder(const Session& session) {
  const std::filesystem::path wallet = session.options.wallet.empty()
                                           ? client::default_wallet_folder()
                                           : std::filesystem::path(session.options.wallet);
  return wallet.parent_path();
}

std::filesystem::path directory_of(const Session& session, const StoreOptions& options) {
  if (!options.directory.empty()) return options.directory;
  return data_folder(session) / "store";
}

storage::GatewayConfig gateways_of(const StoreOptions& options) {
  storage::GatewayConfig out;
  out.urls = options.arweave_gateways;
  if (out.urls.empty()) out.urls = {kDefaultGateway};
  return out;
}

template <class Store>
CliResult<std::unique_ptr<storage::BlobStore>> boxed(Result<Store, Error> store) {
  if (!store.ok()) return fail(usage_fault(store.error().message));
  return std::unique_ptr<storage::BlobStore>(std::make_unique<Store>(*std::move(store)));
}

CliResult<std::unique_ptr<storage::BlobStore>> open_ipfs(const StoreOptions& options) {
  storage::IpfsConfig config;
  config.gateways.urls = options.ipfs_gateways;
  if (config.gateways.urls.empty()) config.gateways.urls = {kDefaultIpfsGateway};
  config.api_url = options.ipfs_api;
  return boxed(storage::IpfsStore::open(config));
}

CliResult<std::unique_ptr<storage::BlobStore>> open_for_push(Session& session,
                                                             const StoreOptions& options,
                                                             const KeyPair& account) {
  if (options.store == "dir")
    return boxed(storage::DirectoryStore::open(directory_of(session, options)));
  if (options.store == "ipfs") return open_ipfs(options);
  arweave::StoreConfig config;
  config.gateways = gateways_of(options);
  config.bundler_url = options.bundler;
  config.max_price_winston = TALLY_TRY(winston_amount(options.max_price));
  config.tags = {{"App-Name", "Tallystick"}, {"Content-Type", "application/octet-stream"}};
  config.account = account;
  if (!options.arweave_wallet.empty()) {
    const client::Wallet wallet = TALLY_TRY(session.wallet());
    const arweave::WalletFolder wallets(wallet.folder());
    const auto found = wallets.find(options.arweave_wallet);
    if (!found.ok()) return fail(key_fault(found.error()));
    const std::string password =
        TALLY_TRY(session.password("Password of Arweave wallet " + options.arweave_wallet));
    const auto key = wallets.unlock(options.arweave_wallet, password);
    if (!key.ok()) return fail(key_fault(key.error()));
    config.wallet = *key;
  } else if (options.bundler.empty()) {
    return fail(usage_fault(
        "nobody would pay: name an Arweave wallet (--arweave-wallet; `tally arweave wallet new` "
        "makes one) or a bundler (--bundler)"));
  }
  return boxed(arweave::ArweaveStore::open(config));
}

CliResult<std::unique_ptr<storage::BlobStore>> open_reader(const Session& session,
                                                           const StoreOptions& options,
                                                           StoreKind kind) {
  switch (kind) {
    case StoreKind::arweave:
      return boxed(arweave::ArweaveStore::open({.gateways = gateways_of(options)}));
    case StoreKind::directory:
      return boxed(storage::DirectoryStore::open(directory_of(session, options)));
    case StoreKind::ipfs:
      return open_ipfs(options);
    case StoreKind::filecoin:
      break;
  }
  return fail(usage_fault("this program cannot read from " + std::string(enumerator_name(kind))));
}

}  // namespace

Fault store_fault(const storage::StoreError& error) {
  using storage::StoreFault;
  const std::string code = "store_" + std::string(enumerator_name(error.fault));
  switch (error.fault) {
    case StoreFault::not_found:
      return {Exit::not_found, code, error.message};
    case StoreFault::mismatch:
      return {Exit::not_proved, code, error.message};
    case StoreFault::unreachable:
      return {Exit::unreachable, code, error.message};
    case StoreFault::interrupted:
      return {Exit::interrupted, code, error.message};
    case StoreFault::too_large:
    case StoreFault::refused:
    case StoreFault::unsupported:
    case StoreFault::local:
      return {Exit::failure, code, error.message};
  }
  return {Exit::failure, code, error.message};
}

Fault to_fault(const checkpoint::CheckpointError& error) {
  using checkpoint::Fault;
  if (error.chain_error) return to_fault(*error.chain_error);
  if (error.store_fault) return store_fault({{error.message}, *error.store_fault});
  if (error.refusal) {
    const std::string name = runtime::to_text(*error.refusal);
    const std::string hint = hint_for(name);
    return {Exit::refused, name, error.message + (hint.empty() ? "" : "; " + hint)};
  }
  const std::string code = "checkpoint_" + std::string(enumerator_name(error.fault));
  switch (error.fault) {
    case Fault::invalid:
      return {Exit::usage, code, error.message};
    case Fault::not_found:
      return {Exit::not_found, code, error.message};
    case Fault::mismatch:
      return {Exit::not_proved, code, error.message};
    case Fault::unavailable:
      return {Exit::unreachable, code, error.message};
    case Fault::refused:
      return {Exit::refused, code, error.message};
    case Fault::interrupted:
      return {Exit::interrupted, code, error.message};
    case Fault::busy:
    case Fault::store:
    case Fault::chain:
    case Fault::local:
      return {Exit::failure, code, error.message};
  }
  return {Exit::failure, code, error.message};
}

std::filesystem::path checkpoint_folder(const Session& session) {
  return data_folder(session) / "checkpoints";
}

CliResult<std::uint64_t> winston_amount(const std::string& text) {
  const auto wrong = [&] {
    return fail(
        usage_fault("expected an amount such as 0.1AR or 1000winston, got \"" + text + "\""));
  };
  std::string_view rest = text;
  if (rest.ends_with("winston")) {
    rest.remove_suffix(7);
    const auto value = arweave::parse_decimal(rest);
    if (!value) return wrong();
    return *value;
  }
  if (!rest.ends_with("AR")) return wrong();
  rest.remove_suffix(2);
  const auto point = rest.find('.');
  const auto whole = arweave::parse_decimal(rest.substr(0, point));
  std::string digits(point == std::string_view::npos ? "" : rest.substr(point + 1));
  const bool no_digits = point != std::string_view::npos && digits.empty();
  const bool all_digits = digits.find_first_not_of("0123456789") == std::string::npos;
  if (!whole || no_digits || !all_digits || digits.size() > kArDigits ||
      *whole >= ~std::uint64_t{0} / kWinstonPerAr) {
    return wrong();
  }
  digits.resize(kArDigits, '0');
  std::uint64_t fraction = 0;
  for (const char c : digits) fraction = fraction * 10 + static_cast<std::uint64_t>(c - '0');
  return *whole * kWinstonPerAr + fraction;
}

std::string winston_text(std::uint64_t winston) {
  std::string fraction = std::to_string(winston % kWinstonPerAr);
  fraction.insert(0, kArDigits - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return std::to_string(winston / kWinstonPerAr) + (fraction.empty() ? "" : "." + fraction) + " AR";
}

void add_gateway_option(CLI::App& command, StoreOptions& options) {
  command
      .add_option("--gateway", options.arweave_gateways,
                  "Arweave gateway, asked in the order given (default: https://arweave.net)")
      ->envname("TALLY_ARWEAVE_GATEWAY")
      ->delimiter(',');
}

void add_store_options(CLI::App& command, StoreOptions& options) {
  command
      .add_option("--directory", options.directory,
                  "folder of the store dir (default: store, beside the wallet)")
      ->envname("TALLY_BLOBS");
  add_gateway_option(command, options);
  command
      .add_option("--ipfs-gateway", options.ipfs_gateways,
                  "IPFS gateway (default: https://ipfs.io)")
      ->envname("TALLY_IPFS_GATEWAY")
      ->delimiter(',');
}

void add_store_write_options(CLI::App& command, StoreOptions& options,
                             const std::string& price_option) {
  command.add_option("--store", options.store, "where the bytes go: dir, arweave or ipfs")
      ->check(CLI::IsMember({"dir", "arweave", "ipfs"}))
      ->capture_default_str();
  add_store_options(command, options);
  command
      .add_option("--arweave-wallet", options.arweave_wallet,
                  "Arweave wallet that pays, a name of `tally arweave wallet`")
      ->envname("TALLY_ARWEAVE_WALLET");
  command
      .add_option("--bundler", options.bundler,
                  "URL of a bundler that takes and pays for the account's data items")
      ->envname("TALLY_ARWEAVE_BUNDLER");
  command.add_option(price_option, options.max_price, "the most that Arweave may cost, as 0.1AR")
      ->capture_default_str();
  command.add_option("--ipfs-api", options.ipfs_api, "RPC API of the IPFS node that takes blocks")
      ->envname("TALLY_IPFS_API");
}

CliResult<Stores> Stores::open(Session& session, const StoreOptions& options,
                               const KeyPair* account) {
  Stores out;
  if (account != nullptr) out.push_ = TALLY_TRY(open_for_push(session, options, *account));
  for (const StoreKind kind : {StoreKind::directory, StoreKind::arweave, StoreKind::ipfs}) {
    out.readers_[kind] = TALLY_TRY(open_reader(session, options, kind));
  }
  return out;
}

checkpoint::StoreFinder Stores::finder() const {
  return [this](StoreKind kind) -> storage::BlobStore* {
    const auto found = readers_.find(kind);
    return found == readers_.end() ? nullptr : found->second.get();
  };
}

CliResult<arweave::Client> arweave_client(const StoreOptions& options) {
  const auto gateways = storage::Gateways::open(gateways_of(options));
  if (!gateways.ok()) return fail(usage_fault(gateways.error().message));
  return arweave::Client(*gateways);
}

}  // namespace tally::cli
