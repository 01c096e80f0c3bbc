// What the commands of `tally` share: the options that stand before every command, the chain
// client, the wallet, and how results and errors are shown.
//
// A command returns nothing or a Fault; main turns that into the exit code. Results go to the
// standard output (tables, or one JSON value with --json), progress and errors to the standard
// error.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "client-sdk/chain/json.hpp"
#include "client-sdk/wallet/wallet.hpp"
#include "genesis/chain_spec.hpp"

namespace tally::cli {

// Stable: documented in docs/cli-json.md.
enum class Exit : int {
  ok = 0,
  failure = 1,      // the machine: files, memory, what fits nowhere else
  usage = 2,        // the command line is wrong
  unreachable = 3,  // no node or worker answers
  refused = 4,      // the chain refused the transaction, or its call failed
  not_found = 5,
  not_proved = 6,  // an answer did not hold, or the node serves another chain
  keys = 7,        // wallet, key file or password
  interrupted = 130,
};

struct Fault {
  Exit exit{};
  std::string code;  // stable, lower case
  std::string message;
  std::string file{};   // that says more, such as a receipt; may be empty
  std::string check{};  // that an answer did not pass; may be empty
};
template <class T>
using CliResult = Result<T, Fault>;

Fault to_fault(const client::ClientError& error);
Json error_json(const Fault& fault);
inline Fault key_fault(const Error& error) {
  return {Exit::keys, "keys", error.message};
}
inline Fault usage_fault(std::string message) {
  return {Exit::usage, "usage", std::move(message)};
}
inline Fault file_fault(const Error& error) {
  return {Exit::failure, "file", error.message};
}

// Passes a client's result on with its error as a Fault.
template <class T>
CliResult<T> or_fault(client::ClientResult<T> result) {
  if (!result.ok()) return fail(to_fault(result.error()));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

struct Options {
  std::string node = "127.0.0.1:9943";
  std::string chain = "dev";
  std::string wallet;
  std::string trust_block;
  std::string password_file;
  bool json = false;
};

// A dump of a table: a heading a column, one row a line.
struct Table {
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows;
};
// Names and values, one a line.
using Sheet = std::vector<std::pair<std::string, std::string>>;

class Session {
 public:
  using Command = std::function<CliResult<void>()>;

  Options options;
  std::stop_token stop;
  // Set by SIGUSR1: a checkpoint is wanted now. Shared with the thread that takes the signals.
  std::shared_ptr<std::atomic<bool>> asked = std::make_shared<std::atomic<bool>>(false);
  Command command;  // what the command line asked for

  // The chain that --chain names: a preset, or a file.
  CliResult<const genesis::ChainSpec*> spec();
  // Connected, and the chain of trust followed as far as it was before.
  CliResult<client::ChainClient*> client();
  CliResult<client::Wallet> wallet() const;

  // A wallet's account name, an address, 0x and 64 digits, or a development URI such as //Bob.
  CliResult<AccountId> account(const std::string& text);
  // A wallet's account name, whose password is asked for once, or a development URI.
  CliResult<KeyPair> signer(const std::string& text);
  // From --password-file, TALLY_PASSWORD or the terminal.
  CliResult<std::string> password(const std::string& prompt, bool confirm = false);

  // Signs, submits and waits; tells progress. A call that failed in its block is a Fault.
  CliResult<client::TxOutcome> submit(const KeyPair& key, const Bytes& call, Balance tip = {});

  void show(const Json& json, const Sheet& sheet) const;
  void show(const Json& json, const Table& table) const;
  void say(const std::string& line) const;  // to people only: nothing with --json
  void progress(const std::string& line) const;
  // Keeps what was learnt of the chain of trust for the next command.
  void save_trust();
  void save_trust(const Hash& genesis, ByteView saved);
  // Empty where there is none.
  Bytes saved_trust(const Hash& genesis) const;

 private:
  std::map<std::string, KeyPair> unlocked_;
  std::optional<genesis::ChainSpec> spec_;
  std::unique_ptr<client::ChainClient> client_;
};

CliResult<Balance> amount(const std::string& text);
Json outcome_json(const client::TxOutcome& outcome);
Sheet outcome_sheet(const client::TxOutcome& outcome);
// The fee that a transaction paid, from its block's events.
Balance fee_of(const client::TxOutcome& outcome);
std::string time_text(std::uint64_t ms_since_1970);

// Reads a line without echo from the terminal; ends when asked to stop.
CliResult<std::string> read_secret(const std::string& prompt, const std::stop_token& stop);
// The standard input up to its end, without the last line break.
std::string read_stdin();

void add_keys(CLI::App& app, Session& session);
void add_account(CLI::App& app, Session& session);
void add_chain(CLI::App& app, Session& session);
void add_chain_accounts(CLI::App& chain, Session& session);
void add_chain_verify(CLI::App& chain, Session& session);
void add_genesis(CLI::App& app, Session& session);
void add_worker(CLI::App& app, Session& session);
void add_worker_registration(CLI::App& worker, Session& session);
void add_stake(CLI::App& app, Session& session);
void add_checkpoint(CLI::App& app, Session& session);
void add_dispute(CLI::App& app, Session& session);
void add_validator(CLI::App& app, Session& session);
void add_verify(CLI::App& app, Session& session);

}  // namespace tally::cli
