// What tallyd is told: defaults, then the TOML file, then the environment, then the command line,
// each above the one before.
//
// Every setting has one name: section.key in TOML, TALLY_SECTION_KEY in the environment, --flag on
// the command line (settings() lists them). All values are checked, unknown TOML keys are errors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/core/node_core.hpp"
#include "node/log/log.hpp"
#include "node/network/address.hpp"
#include "node/txpool/pool.hpp"
#include "primitives/result.hpp"

namespace tally::service {

struct NodeConfig {
  std::string chain = "local4";                         // a preset, or the path of a chain spec
  std::filesystem::path base_path;                      // data, keys and node key
  std::optional<std::string> validator;                 // a development validator: //Alice
  std::optional<std::filesystem::path> validator_keys;  // the folder of a real validator's keys
  std::optional<std::filesystem::path> password_file;   // for them
  std::optional<std::string> signer;                    // unix:PATH of the process that holds them
  bool trust_missing_votes = false;
  bool start_up_guard = true;
  std::optional<std::filesystem::path> reporter_key;  // of the account that reports evidence
  std::optional<std::filesystem::path> reporter_password_file;

  std::string listen = "127.0.0.1";
  std::optional<std::uint16_t> port;  // none: 30333, and 10 more for each later dev validator
  std::optional<std::vector<network::PeerAddress>> bootnodes;  // none: the dev validators
  std::uint32_t peers_max = 64;

  std::string rpc_listen = "127.0.0.1";
  std::optional<std::uint16_t> rpc_port;  // none: 9943 and so on
  bool metrics = true;
  std::string metrics_listen = "127.0.0.1";
  std::optional<std::uint16_t> metrics_port;  // none: 9615 and so on

  std::uint32_t pruning = 256;  // newest states and blocks that are kept; 0: all of them
  core::SyncSettings sync;
  txpool::Limits pool;
  Log::Options log;
};

struct Setting {
  std::string_view key;    // "network.port"
  std::string_view flag;   // "--port"
  std::string_view value;  // what help calls it: "PORT"; empty for a switch
  std::string_view help;
  bool repeats = false;
  std::function<Result<void, Error>(NodeConfig&, const std::vector<std::string>&)> apply;

  std::string environment_name() const;  // "TALLY_NETWORK_PORT"
};
const std::vector<Setting>& settings();

// Values by setting key, as one source gave them.
using ConfigValues = std::map<std::string, std::vector<std::string>>;

Result<ConfigValues, Error> read_toml(const std::filesystem::path& file);
// Of names of environment variables, those that look like settings and are none.
std::vector<std::string> unknown_in_environment(const std::vector<std::string>& names);
ConfigValues read_environment(const std::function<const char*(const char*)>& get);
// Applies the sources in order; the error names the setting and where it came from.
struct ConfigSource {
  std::string name;
  ConfigValues values;
};
Result<NodeConfig, Error> make_config(const std::vector<ConfigSource>& sources);

// $XDG_DATA_HOME/tallystick, else ~/.local/share/tallystick.
std::filesystem::path default_base_path(const std::function<const char*(const char*)>& get);

}  // namespace tally::service
