#include "node/service/config.hpp"

// The library's own checks would end the program over what its parser then refuses, such as "[=a]".
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>
#include <charconv>
#include <fstream>
#include <limits>

#include "primitives/config_text.hpp"

namespace tally::service {
namespace {

using Values = std::vector<std::string>;

template <class Int>
Result<Int, Error> integer(const std::string& text) {
  Int out{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || stop != end) {
    return fail_with("expected an integer from 0 to " +
                     std::to_string(std::numeric_limits<Int>::max()) + ", came '" + text + "'");
  }
  return out;
}

Result<bool, Error> boolean(const std::string& text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return fail_with("expected true or false, came '" + text + "'");
}

template <class Int>
auto set_integer(Int NodeConfig::*member) {
  return [member](NodeConfig& config, const Values& values) -> Result<void, Error> {
    config.*member = TALLY_TRY(integer<Int>(values.front()));
    return {};
  };
}
auto set_port(std::optional<std::uint16_t> NodeConfig::*member) {
  return [member](NodeConfig& config, const Values& values) -> Result<void, Error> {
    config.*member = TALLY_TRY(integer<std::uint16_t>(values.front()));
    return {};
  };
}
template <class Text>
auto set_text(Text NodeConfig::*member) {
  return [member](NodeConfig& config, const Values& values) -> Result<void, Error> {
    if (values.front().empty()) return fail_with("expected a text, came nothing");
    config.*member = values.front();
    return {};
  };
}
auto set_switch(bool NodeConfig::*member) {
  return [member](NodeConfig& config, const Values& values) -> Result<void, Error> {
    config.*member = TALLY_TRY(boolean(values.front()));
    return {};
  };
}
auto set_pool(std::size_t txpool::Limits::*member) {
  return [member](NodeConfig& config, const Values& values) -> Result<void, Error> {
    config.pool.*member = TALLY_TRY(integer<std::size_t>(values.front()));
    return {};
  };
}

Result<void, Error> set_bootnodes(NodeConfig& config, const Values& values) {
  config.bootnodes.emplace();
  for (const std::string& value : values) {
    if (value == "none") continue;
    config.bootnodes->push_back(TALLY_TRY(network::parse_peer_address(value)));
  }
  return {};
}
Result<void, Error> set_signer(NodeConfig& config, const Values& values) {
  constexpr std::string_view kScheme = "unix:";
  const std::string& value = values.front();
  if (!value.starts_with(kScheme) || value.size() == kScheme.size()) {
    return fail_with("expected unix:PATH, the socket of a signer, came '" + value + "'");
  }
  config.signer = value.substr(kScheme.size());
  return {};
}
Result<void, Error> set_pruning(NodeConfig& config, const Values& values) {
  config.pruning = 0;
  if (values.front() == "archive") return {};
  const auto number = integer<std::uint32_t>(values.front());
  if (!number.ok() || *number == 0) {
    return fail_with("expected a number of blocks above 0, or archive, came '" + values.front() +
                     "'");
  }
  config.pruning = *number;
  return {};
}
Result<void, Error> set_sync_mode(NodeConfig& config, const Values& values) {
  const std::string& value = values.front();
  if (value != "snapshot" && value != "blocks") {
    return fail_with("expected snapshot or blocks, came '" + value + "'");
  }
  config.sync.mode = value == "blocks" ? core::SyncMode::blocks : core::SyncMode::snapshot;
  return {};
}
Result<void, Error> set_trusted_block(NodeConfig& config, const Values& values) {
  const std::string& value = values.front();
  const std::size_t colon = value.find(':');
  std::string_view hex = std::string_view(value).substr(colon == std::string::npos ? 0 : colon + 1);
  if (hex.starts_with("0x")) hex.remove_prefix(2);
  const auto bytes = from_hex(hex);
  const auto hash = bytes ? Hash::from(*bytes) : std::nullopt;
  if (colon == std::string::npos || !hash) {
    return fail_with("expected NUMBER:HASH of an epoch's last block, came '" + value + "'");
  }
  const auto number = TALLY_TRY(integer<std::uint32_t>(value.substr(0, colon)));
  config.sync.trusted = ports::ChainHead{*hash, BlockNumber(number)};
  return {};
}
Result<void, Error> set_log_level(NodeConfig& config, const Values& values) {
  config.log.level = TALLY_TRY(parse_log_level(values.front()));
  return {};
}
Result<void, Error> set_log_format(NodeConfig& config, const Values& values) {
  config.log.format = TALLY_TRY(parse_log_format(values.front()));
  return {};
}

std::vector<Setting> chain_settings() {
  return {
      {"node.chain", "--chain", "NAME|FILE",
       "Preset (dev, local4, bench) or chain spec file (local4)", false,
       set_text(&NodeConfig::chain)},
      {"node.base_path", "--base-path", "FOLDER", "Data and node key (~/.local/share/tallystick)",
       false, set_text(&NodeConfig::base_path)},
      {"node.validator", "--validator", "//NAME",
       "Validate with a development key that everybody knows; each name after //Alice adds 10 to "
       "the default ports",
       false, set_text(&NodeConfig::validator)},
      {"node.validator_keys", "--validator-keys", "FOLDER",
       "Validate with the keys that 'tallyd keys generate' made", false,
       set_text(&NodeConfig::validator_keys)},
      {"node.password_file", "--password-file", "FILE",
       "Password of the validator keys (else TALLY_KEY_PASSWORD)", false,
       set_text(&NodeConfig::password_file)},
      {"node.signer", "--signer", "unix:PATH",
       "Validate with the keys that a signer process holds; see tallyd signer --help", false,
       set_signer},
      {"node.start_up_guard", "--start-up-guard", "true|false",
       "Listen for another copy of this validator before it votes, and stop voting when one shows "
       "(true)",
       false, set_switch(&NodeConfig::start_up_guard)},
      {"node.trust_missing_votes", "--trust-missing-votes", "",
       "Vote although both vote files were lost. Only if no other copy of this validator has voted",
       false, set_switch(&NodeConfig::trust_missing_votes)},
      {"node.reporter_key", "--reporter-key", "FILE",
       "Account key that reports evidence of cheating validators, and pays the fee "
       "(a development validator: its own account)",
       false, set_text(&NodeConfig::reporter_key)},
      {"node.reporter_password_file", "--reporter-password-file", "FILE",
       "Password of the reporter key (else TALLY_REPORTER_PASSWORD)", false,
       set_text(&NodeConfig::reporter_password_file)},
      {"state.pruning", "--pruning", "N|archive",
       "Newest final blocks that are kept, with their states; beside them what newcomers need: the "
       "states at the ends of the last two epochs and the blocks since. archive: everything (256)",
       false, set_pruning},
      {"sync.mode", "--sync", "snapshot|blocks",
       "How a node gets to where the chain is: by the state at the end of a recent epoch, where "
       "the "
       "folder is empty, or block by block (the first when it is empty and far behind, or when no "
       "peer has the blocks any more)",
       false, set_sync_mode},
      {"sync.trust_block", "--trust-block", "NUMBER:HASH",
       "The last block of an epoch, as somebody whom you trust gives it: only a snapshot of a "
       "chain "
       "with this block is taken",
       false, set_trusted_block},
  };
}

std::vector<Setting> edge_settings() {
  return {
      {"network.listen", "--listen", "ADDRESS", "IP address for peers (127.0.0.1)", false,
       set_text(&NodeConfig::listen)},
      {"network.port", "--port", "PORT", "Port for peers (30333; 0: any free one)", false,
       set_port(&NodeConfig::port)},
      {"network.bootnodes", "--bootnode", "KEY@HOST:PORT",
       "A peer to dial; repeat for more; 'none' for nobody (the development validators)", true,
       set_bootnodes},
      {"network.peers_max", "--peers-max", "N", "Inbound peers, validators apart (64)", false,
       set_integer(&NodeConfig::peers_max)},
      {"rpc.listen", "--rpc-listen", "ADDRESS", "IP address for gRPC (127.0.0.1)", false,
       set_text(&NodeConfig::rpc_listen)},
      {"rpc.port", "--rpc-port", "PORT", "Port for gRPC (9943; 0: any free one)", false,
       set_port(&NodeConfig::rpc_port)},
      {"metrics.enabled", "--metrics", "true|false", "Serve Prometheus metrics (true)", false,
       set_switch(&NodeConfig::metrics)},
      {"metrics.listen", "--metrics-listen", "ADDRESS", "IP address for metrics (127.0.0.1)", false,
       set_text(&NodeConfig::metrics_listen)},
      {"metrics.port", "--metrics-port", "PORT", "Port for metrics (9615)", false,
       set_port(&NodeConfig::metrics_port)},
      {"pool.transactions", "--pool-transactions", "N", "Waiting transactions at most (16384)",
       false, set_pool(&txpool::Limits::transactions)},
      {"pool.bytes", "--pool-bytes", "N", "Their bytes at most (33554432)", false,
       set_pool(&txpool::Limits::bytes)},
      {"pool.per_account", "--pool-per-account", "N", "Of one account at most (256)", false,
       set_pool(&txpool::Limits::per_account)},
      {"log.level", "--log-level", "LEVEL", "debug, info, warn or error (info)", false,
       set_log_level},
      {"log.format", "--log-format", "FORMAT", "text or json (text)", false, set_log_format},
  };
}

Result<std::string, Error> toml_scalar(const toml::node& node, const std::string& key) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  return fail_with("line " + std::to_string(node.source().begin.line) + ": " + key +
                   ": expected a text, an integer or a boolean, came another kind of value");
}

Result<Values, Error> toml_values(const toml::node& node, const std::string& key) {
  const auto* list = node.as_array();
  if (!list) return Values{TALLY_TRY(toml_scalar(node, key))};
  Values out;
  for (const toml::node& item : *list) out.push_back(TALLY_TRY(toml_scalar(item, key)));
  return out;
}

}  // namespace

std::string Setting::environment_name() const {
  std::string out = "TALLY_";
  for (const char c : key) {
    out += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return out;
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> list = chain_settings();
    for (Setting& setting : edge_settings()) list.push_back(std::move(setting));
    return list;
  }();
  return all;
}

Result<ConfigValues, Error> read_toml(const std::filesystem::path& file) {
  std::error_code unreadable;
  const bool is_folder = std::filesystem::is_directory(file, unreadable);
  std::ifstream in(file);
  if (is_folder || !in) {
    const std::string why =
        is_folder ? "it is a folder"
                  : std::generic_category().message(unreadable ? unreadable.value() : errno);
    return fail_with("cannot read the config file " + file.string() + ": " + why);
  }
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto fit = check_config_text(text);
  if (!fit.ok()) return fail_with("config file " + file.string() + ", " + fit.error().message);
  toml::table table;
  try {
    table = toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    return fail_with("config file " + file.string() + ", line " +
                     std::to_string(error.source().begin.line) +
                     ": expected TOML: " + std::string(error.description()));
  }
  ConfigValues out;
  for (const auto& [section, content] : table) {
    const std::string section_name(section.str());
    const auto* members = content.as_table();
    if (!members) {
      return fail_with("config file " + file.string() + ": expected a section [" + section_name +
                       "], came a value; settings stand in sections, such as [network]");
    }
    for (const auto& [name, node] : *members) {
      const std::string key = section_name + "." + std::string(name.str());
      auto values = toml_values(node, key);
      if (!values.ok())
        return fail_with("config file " + file.string() + ": " + values.error().message);
      out[key] = *std::move(values);
    }
  }
  return out;
}

ConfigValues read_environment(const std::function<const char*(const char*)>& get) {
  ConfigValues out;
  for (const Setting& setting : settings()) {
    const char* text = get(setting.environment_name().c_str());
    if (text == nullptr) continue;
    Values& values = out[std::string(setting.key)];
    std::string rest = text;
    if (setting.repeats) {  // separated by commas
      for (std::size_t comma; (comma = rest.find(',')) != std::string::npos;) {
        values.push_back(rest.substr(0, comma));
        rest.erase(0, comma + 1);
      }
    }
    values.push_back(rest);
  }
  return out;
}

std::vector<std::string> unknown_in_environment(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto of_section = [&](const Setting& setting) {
      const std::string known = setting.environment_name();
      const std::size_t section_end = known.find('_', known.find('_') + 1) + 1;
      return name.starts_with(known.substr(0, section_end));
    };
    const auto is_it = [&](const Setting& setting) { return name == setting.environment_name(); };
    const auto& all = settings();
    if (std::any_of(all.begin(), all.end(), of_section) &&
        std::none_of(all.begin(), all.end(), is_it)) {
      out.push_back(name);
    }
  }
  return out;
}

Result<NodeConfig, Error> make_config(const std::vector<ConfigSource>& sources) {
  NodeConfig config;
  for (const ConfigSource& source : sources) {
    for (const auto& [key, values] : source.values) {
      const auto found =
          std::find_if(settings().begin(), settings().end(),
                       [&wanted = key](const Setting& setting) { return setting.key == wanted; });
      if (found == settings().end()) {
        return fail_with(source.name + ": there is no setting '" + key +
                         "'; tallyd --help lists them");
      }
      const bool count_is_right = found->repeats || values.size() == 1;
      auto applied = count_is_right ? found->apply(config, values)
                                    : Result<void, Error>(fail_with("expected one value"));
      if (!applied.ok())
        return fail_with(source.name + ": " + key + ": " + applied.error().message);
    }
  }
  if ((config.validator ? 1 : 0) + (config.validator_keys ? 1 : 0) + (config.signer ? 1 : 0) > 1) {
    return fail_with(
        "expected one of --validator //Name, --validator-keys FOLDER and --signer unix:PATH, came "
        "more");
  }
  return config;
}

std::filesystem::path default_base_path(const std::function<const char*(const char*)>& get) {
  if (const char* data = get("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
    return std::filesystem::path(data) / "tallystick";
  }
  const char* home = get("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".local/share/tallystick";
}

}  // namespace tally::service
