// tallyd: a full node or a validator of a Tallystick chain.
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdlib>
#include <iostream>

#include "node/service/core_dumps.hpp"
#include "node/service/signer_command.hpp"
#include "primitives/version.hpp"

namespace {

using namespace tally;
using service::Exit;

constexpr const char* kAbout =
    "tallyd - a full node or validator of a Tallystick chain\n"
    "\n"
    "  tallyd --chain local4 --validator //Alice --base-path /tmp/alice\n"
    "  tallyd --chain my-chain.json --bootnode <node key>@host:30333\n"
    "  tallyd keys generate --validator-keys keys --password-file password\n"
    "\n"
    "Every option has a TOML name (section.key, in <base-path>/tallyd.toml or --config) and an\n"
    "environment variable (TALLY_SECTION_KEY). The command line is above the environment, and\n"
    "that above the file. Ends with 0 when stopped by SIGINT or SIGTERM, 1 when it cannot start\n"
    "or run, 2 for a wrong option, file or key, 3 when the data folder is in use, 65 when the\n"
    "database is damaged, 70 when the validators broke the protocol, 74 when the disk refuses to\n"
    "write.";

int fail_line(Exit code, const std::string& message) {
  std::cerr << "tallyd: " << message << '\n';
  return static_cast<int>(code);
}

const char* environment(const char* name) {
  return std::getenv(name);
}

// What the command line gives, by setting key.
struct CommandLine {
  CLI::App app{kAbout, "tallyd"};
  std::string config_file;
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> switches;
  CLI::App* keys = nullptr;
  CLI::App* generate = nullptr;
  CLI::App* show = nullptr;
  CLI::App* signer = nullptr;
  service::SignerCommand signing;

  CommandLine() {
    app.set_version_flag("--version", "tallyd " + std::string(kProgramVersion));
    app.add_option("--config", config_file, "Configuration file (<base-path>/tallyd.toml)")
        ->envname("TALLY_CONFIG")
        ->type_name("FILE");
    for (const service::Setting& setting : service::settings()) {
      const std::string key(setting.key);
      const std::string help = std::string(setting.help) + " [" + key + "]";
      if (setting.value.empty()) {
        app.add_flag(std::string(setting.flag), switches[key], help);
        continue;
      }
      auto* option = app.add_option(std::string(setting.flag), values[key], help)
                         ->type_name(std::string(setting.value));
      option->expected(1)->take_all();
      if (!setting.repeats) option->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    }
    keys = app.add_subcommand("keys", "Validator and node keys");
    keys->require_subcommand(1)->fallthrough();
    generate = keys->add_subcommand("generate", "Make validator keys in --validator-keys");
    show = keys->add_subcommand("show", "Print the public keys of a node");
    for (CLI::App* command : {generate, show}) {
      command->footer("Takes the options of tallyd: see tallyd --help. Example:\n  tallyd keys " +
                      command->get_name() +
                      " --validator-keys keys --password-file password --base-path data");
    }
    generate->fallthrough();
    show->fallthrough();
    add_signer();
  }

  void add_signer() {
    signer = app.add_subcommand("signer", "Hold a validator's keys in a process of their own");
    signer->fallthrough();
    signer->add_option("--socket", signing.socket, "Unix socket to serve one node on")
        ->type_name("PATH")
        ->required();
    signer
        ->add_option("--socket-group", signing.socket_group,
                     "Group whose members may connect too (only the signer's own user)")
        ->type_name("GROUP");
    signer->add_option("--state", signing.state, "Folder of the mark of what was signed")
        ->type_name("FOLDER")
        ->required();
    signer->add_flag("--new-mark", signing.new_mark,
                     "First start of these keys alone: they have never signed, here or by a node");
    signer->footer(
        "Keys and password are named by the options of tallyd. It refuses whatever contradicts\n"
        "what the keys have signed, whoever asks. Example, the first time with --new-mark:\n"
        "  tallyd signer --socket /run/tally/signer --state signer \\\n"
        "         --validator-keys keys --password-file password\n"
        "  tallyd --chain chain.json --base-path data --signer unix:/run/tally/signer");
  }

  service::ConfigValues given() const {
    service::ConfigValues out;
    for (const auto& [key, list] : values) {
      if (!list.empty()) out[key] = list;
    }
    for (const auto& [key, set] : switches) {
      if (set) out[key] = {"true"};
    }
    return out;
  }
};

Result<void, Error> check_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  const auto unknown = service::unknown_in_environment(names);
  if (unknown.empty()) return {};
  return fail_with("environment: " + unknown.front() +
                   " is no setting of a section that tallyd has; tallyd --help lists them, "
                   "section.key is TALLY_SECTION_KEY");
}

Result<service::NodeConfig, Error> load_config(const CommandLine& line) {
  TALLY_TRY(check_environment());
  const service::ConfigSource by_command{"command line", line.given()};
  const service::ConfigSource by_environment{"environment", service::read_environment(environment)};
  service::NodeConfig early = TALLY_TRY(service::make_config({by_environment, by_command}));
  if (early.base_path.empty()) early.base_path = service::default_base_path(environment);
  std::filesystem::path file = line.config_file;
  std::vector<service::ConfigSource> sources;
  std::error_code error;
  if (file.empty()) file = early.base_path / "tallyd.toml";
  if (!line.config_file.empty() || std::filesystem::exists(file, error)) {
    auto values = TALLY_TRY(service::read_toml(file));
    sources.push_back({"config file " + file.string(), std::move(values)});
  }
  sources.push_back(by_environment);
  sources.push_back(by_command);
  service::NodeConfig config = TALLY_TRY(service::make_config(sources));
  if (config.base_path.empty()) config.base_path = early.base_path;
  return config;
}

Result<void, Error> generate_keys(const service::NodeConfig& config) {
  if (!config.validator_keys) {
    return fail_with("expected --validator-keys FOLDER: where the new keys go");
  }
  std::string password = TALLY_TRY(service::read_password(config));
  const auto made = keystore::create_validator_keys(*config.validator_keys, password);
  explicit_bzero(password.data(), password.size());
  if (!made.ok()) return fail(made.error());
  std::error_code error;
  std::filesystem::create_directories(config.base_path, error);
  TALLY_TRY(service::identity_of(config));
  return {};
}

Result<void, Error> show_keys(const service::NodeConfig& config) {
  const auto validator = TALLY_TRY(service::validator_keys_of(config));
  if (validator) {
    std::cout << "consensus_key 0x" << to_hex(validator->consensus_key()) << '\n'
              << "vrf_key       0x" << to_hex(validator->vrf_key()) << '\n';
  }
  if (!service::has_identity(config)) {
    if (!validator) {
      return fail_with("no node key in " + config.base_path.string() +
                       ": expected the --base-path of a node that was started once, or of "
                       "`tallyd keys generate`");
    }
    std::cout << "node_key      none yet in " << config.base_path.string() << '\n';
    return {};
  }
  const auto identity = TALLY_TRY(service::identity_of(config));
  std::cout << "node_key      " << to_hex(identity.id()) << '\n';
  return {};
}

int run_keys(const CommandLine& line, const service::NodeConfig& config) {
  if (line.generate->parsed()) {
    const auto made = generate_keys(config);
    if (!made.ok()) return fail_line(Exit::bad_input, made.error().message);
  }
  const auto shown = show_keys(config);
  return shown.ok() ? 0 : fail_line(Exit::bad_input, shown.error().message);
}

// In every thread, so that only who waits for them takes them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is a disk that refuses: exit 74
  return signals;
}

int run_signer(const CommandLine& line, const service::NodeConfig& config) {
  block_signals();
  const auto run = service::run_signer(line.signing, config);
  return run.ok() ? 0 : fail_line(run.error().code, run.error().message);
}

int run_node(const service::NodeConfig& config) {
  const sigset_t signals = block_signals();
  const Log log = Log::to_stderr(config.log);
  std::atomic<int> fatal{0};
  const auto started = service::Node::start(config, log, [&](Exit code) {
    fatal = static_cast<int>(code);
    kill(getpid(), SIGTERM);
  });
  if (!started.ok()) return fail_line(started.error().code, started.error().message);
  int received = 0;
  sigwait(&signals, &received);
  // A second signal ends the process at once, in case stopping hangs.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  log.info("stopping", {{"signal", received == SIGINT ? "SIGINT" : "SIGTERM"}});
  (*started)->stop();
  return fatal.load();
}

}  // namespace

int main(int argc, char** argv) {
  service::forbid_core_dumps();
  CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = line.app.exit(error);
    return code == 0 ? 0 : static_cast<int>(Exit::bad_input);
  }
  const auto config = load_config(line);
  if (!config.ok()) return fail_line(Exit::bad_input, config.error().message);
  if (line.signer->parsed()) return run_signer(line, *config);
  return line.keys->parsed() ? run_keys(line, *config) : run_node(*config);
}
