// tally-worker.toml, as docs/workers.md describes it. Strict: an unknown or ill-typed key, or a
// value out of range, is an error that names the key, what was expected and what came. Precedence:
// command line, then TALLY_… in the environment, then the file, then the defaults here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client-sdk/task/specs.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::worker {

struct AccountConfig {
  std::filesystem::path key_file;       // an encrypted account key (`tally keys new`)
  std::filesystem::path password_file;  // empty: TALLY_WORKER_PASSWORD
  std::string dev_account;              // or the name of a development key ("Bob"), for test chains
};

// What the worker is on the chain. Without a stake it is not registered from here: requesters that
// know its address can still buy from it, nobody finds it, and it is never drawn as verifier.
struct RegistrationConfig {
  Balance stake;                 // bonded, at least; 0: this program registers nothing
  std::string endpoint;          // host:port as others reach it; empty: `listen`
  bool verify = true;            // do verifier duty when drawn
  std::uint32_t duties_max = 8;  // at a time; others pass to the next of the draw, unfined
  std::uint32_t runs_max = 1;    // disputed tasks done again at a time
};

// Where the newest states go for the time when this program is away.
struct TowerConfig {
  std::filesystem::path folder;      // of a `tally channel watch`; empty: no tower
  std::optional<AccountId> account;  // earns a tenth of what a cheater loses; empty: nobody
};

struct WorkerConfig {
  std::filesystem::path base_path;
  std::string listen = "127.0.0.1:9950";
  std::string node = "127.0.0.1:9943";  // gRPC of the node that is asked; its answers are proved
  std::string chain = "local4";         // a preset's name, or the path of a chain spec
  std::string trust_block;              // NUMBER:HASH to begin at; empty: genesis, or as last time
  std::string log_level = "info";       // debug, info, warning, error
  AccountConfig account;
  RegistrationConfig registration;
  TowerConfig tower;
  // Where inputs of disputed tasks that this worker verifies are served to others; empty: nowhere.
  std::string content_listen;

  std::vector<task::TaskPrice> prices = task::reference_prices();
  std::uint32_t window = 64;
  std::uint32_t credit_window = 1;

  std::uint32_t threads = 0;  // tasks at a time; 0: one a core
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;
  std::uint32_t cpu_seconds = 30;
  std::uint32_t max_timeout_ms = 60'000;
  std::uint64_t max_input_bytes = std::uint64_t{32} << 20;
  std::uint64_t max_output_bytes = std::uint64_t{10} << 20;
  bool gpu = true;  // used where one is found

  std::uint32_t max_connections = 64;
  std::uint32_t max_waiting_tasks = 1'024;
  std::uint64_t max_waiting_bytes = std::uint64_t{512} << 20;
  std::uint32_t dead_letters = 256;
  std::uint64_t dead_letter_bytes = std::uint64_t{256} << 20;
};

// $XDG_DATA_HOME/tallystick/worker, else ~/.local/share/tallystick/worker.
std::filesystem::path default_base_path();

// `path` empty: no file. `source` in errors is the path.
Result<WorkerConfig, Error> load_config(const std::filesystem::path& path);
Result<WorkerConfig, Error> parse_config(std::string_view toml, const std::string& source);

}  // namespace tally::worker
