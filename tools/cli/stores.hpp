// Where a command keeps large things: the options that name a store, and opening it.
#pragma once

#include <map>
#include <memory>

#include "client-sdk/arweave/client.hpp"
#include "client-sdk/checkpoint/checkpoint.hpp"
#include "client-sdk/storage/store.hpp"
#include "tools/cli/session.hpp"

namespace tally::cli {

struct StoreOptions {
  std::string store = "dir";  // dir, arweave or ipfs
  std::string directory;
  std::vector<std::string> arweave_gateways;
  std::string arweave_wallet;
  std::string bundler;
  std::string max_price = "0.1AR";
  std::vector<std::string> ipfs_gateways;
  std::string ipfs_api;
};

// --gateway alone, for commands that only ask Arweave.
void add_gateway_option(CLI::App& command, StoreOptions& options);
// Where to read from, for each kind of store.
void add_store_options(CLI::App& command, StoreOptions& options);
// The same, which one to write to, and what it may cost (an option that some commands have under
// another name).
void add_store_write_options(CLI::App& command, StoreOptions& options,
                             const std::string& price_option = "--max-price");

// The stores of one command.
class Stores {
 public:
  // With an account, the one to write to is opened too: it signs data items, and the Arweave wallet
  // that is named is unlocked.
  static CliResult<Stores> open(Session& session, const StoreOptions& options,
                                const KeyPair* account = nullptr);

  // Only of stores that were opened with an account.
  storage::BlobStore& for_push() const { return *push_; }
  // Each kind to read from; null for those that this program does not know.
  checkpoint::StoreFinder finder() const;

 private:
  std::unique_ptr<storage::BlobStore> push_;
  std::map<StoreKind, std::unique_ptr<storage::BlobStore>> readers_;
};

CliResult<arweave::Client> arweave_client(const StoreOptions& options);

Fault store_fault(const storage::StoreError& error);
Fault to_fault(const checkpoint::CheckpointError& error);
// Beside the wallet: the journals and the cache of checkpoints.
std::filesystem::path checkpoint_folder(const Session& session);
// "1.5AR" or "1000winston", in winston.
CliResult<std::uint64_t> winston_amount(const std::string& text);
// In AR, all digits that are not zero.
std::string winston_text(std::uint64_t winston);

void add_arweave(CLI::App& app, Session& session);

}  // namespace tally::cli
