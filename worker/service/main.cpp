// tally-worker: sells compute over payment channels. See docs/workers.md.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "primitives/ss58.hpp"
#include "primitives/version.hpp"
#include "worker/sandbox/child.hpp"
#include "worker/service/dead_letter.hpp"
#include "worker/service/worker.hpp"

namespace {

using namespace tally;
using namespace tally::worker;
using nlohmann::json;

struct Options {
  std::string config;
  std::string base_path, listen, node, chain, log_level, dev_account, key_file, password_file;
  std::optional<std::uint32_t> credit_window;
  bool json = false;
  std::string letter;
  std::string file;
  bool remove = false;
};

constexpr int kFailure = 1;   // cannot start or run
constexpr int kBadInput = 2;  // a wrong command line or configuration

int complain(const Error& error, int code) {
  std::cerr << "tally-worker: " << error.message << "\n";
  return code;
}

Result<WorkerConfig, Error> effective_config(const Options& options) {
  WorkerConfig config = TALLY_TRY(load_config(options.config));
  const auto override_with = [](auto& value, const std::string& given) {
    if (!given.empty()) value = given;
  };
  override_with(config.base_path, options.base_path);
  override_with(config.listen, options.listen);
  override_with(config.node, options.node);
  override_with(config.chain, options.chain);
  override_with(config.log_level, options.log_level);
  override_with(config.account.dev_account, options.dev_account);
  override_with(config.account.key_file, options.key_file);
  override_with(config.account.password_file, options.password_file);
  if (options.credit_window) config.credit_window = *options.credit_window;
  return config;
}

Result<Log, Error> make_log(const std::string& level) {
  static const std::map<std::string, spdlog::level::level_enum> kLevels = {
      {"debug", spdlog::level::debug},
      {"info", spdlog::level::info},
      {"warning", spdlog::level::warn},
      {"error", spdlog::level::err}};
  const auto found = kLevels.find(level);
  if (found == kLevels.end()) {
    return fail_with("log_level must be debug, info, warning or error, got '" + level + "'");
  }
  const auto logger = spdlog::stderr_color_mt("tally-worker");
  logger->set_level(found->second);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  return Log([logger](LogLevel at, const std::string& text) {
    switch (at) {
      case LogLevel::debug:
        return logger->debug("{}", text);
      case LogLevel::info:
        return logger->info("{}", text);
      case LogLevel::warning:
        return logger->warn("{}", text);
      case LogLevel::error:
        return logger->error("{}", text);
    }
  });
}

// Signals are taken by this thread alone; every other one inherits the block.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

bool stop_pending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1;
}

Result<void, Error> run(const WorkerConfig& config) {
  const Log log = TALLY_TRY(make_log(config.log_level));
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto worker = TALLY_TRY(Worker::start(config, log, stop_pending));
  constexpr timespec kTrustKept{3'600, 0};
  while (sigtimedwait(&signals, nullptr, &kTrustKept) < 0) {
    if (const auto kept = worker->keep_trust(); !kept) log(LogLevel::warning, kept.error().message);
  }
  if (const auto kept = worker->keep_trust(); !kept) log(LogLevel::warning, kept.error().message);
  log(LogLevel::info, "stopping: telling requesters and closing the journal");
  const ServiceCounters counters = worker->counters();
  worker.reset();
  log(LogLevel::info, "stopped after " + to_decimal(counters.tasks_done) + " tasks done, " +
                          to_decimal(counters.tasks_failed) + " failed, " +
                          to_decimal(counters.tasks_refused) + " refused");
  return {};
}

Result<void, Error> run_probe(const Options& options, const WorkerConfig& config) {
  const Log quiet = [](LogLevel, const std::string&) {};
  Executors executors = TALLY_TRY(start_executors(config, quiet));
  std::error_code error;
  std::filesystem::create_directories(config.base_path, error);
  const auto profile = TALLY_TRY(
      probe(*executors.cpu,
            {.cache = config.base_path / "probe.json", .gpu = executors.gpu_name, .again = true}));
  const auto walls = executors.cpu->walls();
  if (options.json) {
    std::cout << json{{"cores", profile.cores},
                      {"memory_bytes", profile.memory_bytes},
                      {"gpu", profile.gpu},
                      {"primes_per_second", profile.primes_per_second},
                      {"micro_credits_per_hour", to_decimal(credits_per_hour(profile).micro)},
                      {"landlock_abi", walls.landlock_abi},
                      {"network_namespace", walls.network_namespace}}
                     .dump()
              << "\n";
    return {};
  }
  std::cout << "cores                " << profile.cores << "\n"
            << "memory               " << (profile.memory_bytes >> 20) << " MiB\n"
            << "GPU                  " << (profile.gpu.empty() ? "none" : profile.gpu) << "\n"
            << "reference benchmark  " << profile.primes_per_second / 1'000'000
            << " million integers a second and core\n"
            << "worth                " << to_text(credits_per_hour(profile))
            << " an hour and core at the reference price\n"
            << "Landlock             "
            << (walls.landlock_abi == 0 ? "none" : "ABI " + to_decimal(walls.landlock_abi)) << "\n"
            << "own network          " << (walls.network_namespace ? "yes" : "not allowed here")
            << "\n";
  return {};
}

Result<DeadLetters, Error> letters_of(const WorkerConfig& config) {
  return DeadLetters::open(config.base_path / "dead-letters",
                           {.letters = config.dead_letters, .bytes = config.dead_letter_bytes});
}

json letter_json(const std::string& name, const DeadLetter& letter) {
  return {{"name", name},
          {"at_ms", letter.at.value},
          {"requester", to_ss58(letter.requester)},
          {"channel", to_hex_prefixed(letter.channel_id)},
          {"task", letter.task_id},
          {"type", task::to_text(letter.type)},
          {"spec", to_hex_prefixed(letter.spec)},
          {"input_bytes", letter.input.size()},
          {"reason", enumerator_name(letter.failure.reason)},
          {"message", letter.failure.message}};
}

Result<void, Error> list_letters(const Options& options, const WorkerConfig& config) {
  const auto letters = TALLY_TRY(letters_of(config));
  json all = json::array();
  for (const std::string& name : TALLY_TRY(letters.names())) {
    const auto letter = letters.read(name);
    if (options.json) {
      all.push_back(letter ? letter_json(name, *letter)
                           : json{{"name", name}, {"error", letter.error().message}});
    } else if (letter) {
      std::cout << name << "  " << task::to_text(letter->type) << "  "
                << enumerator_name(letter->failure.reason) << "  " << letter->failure.message
                << "\n";
    } else {
      std::cout << name << "  " << letter.error().message << "\n";
    }
  }
  if (options.json) std::cout << all.dump() << "\n";
  return {};
}

Result<void, Error> write_file(const std::string& path, ByteView bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file) return fail_with("cannot write " + path);
  return {};
}

Result<void, Error> show_letter(const Options& options, const WorkerConfig& config) {
  const auto letters = TALLY_TRY(letters_of(config));
  const auto letter = TALLY_TRY(letters.read(options.letter));
  std::cout << letter_json(options.letter, letter).dump(options.json ? -1 : 2) << "\n";
  if (!options.file.empty()) TALLY_TRY(write_file(options.file, letter.input));
  return {};
}

// Runs the task again, under this worker's limits, for the operator's eyes only.
Result<void, Error> replay_letter(const Options& options, const WorkerConfig& config) {
  auto letters = TALLY_TRY(letters_of(config));
  const auto letter = TALLY_TRY(letters.read(options.letter));
  Executors executors = TALLY_TRY(start_executors(config, [](LogLevel, const std::string&) {}));
  const std::atomic<bool> never{false};
  const auto result = executors.run(
      letter.requester, {.id = 1, .type = letter.type, .spec = letter.spec, .input = letter.input},
      limits_of(config, std::chrono::milliseconds(config.max_timeout_ms)), never);
  if (!result) {
    return fail_with("it fails again (" + std::string(enumerator_name(result.error().reason)) +
                     "): " + result.error().message);
  }
  std::cout << "done: " << result->bytes.size() << " bytes, output hash "
            << to_hex_prefixed(result->hash) << "\n";
  if (!options.file.empty()) TALLY_TRY(write_file(options.file, result->bytes));
  if (options.remove) TALLY_TRY(letters.remove(options.letter));
  return {};
}

Result<void, Error> remove_letter(const Options& options, const WorkerConfig& config) {
  auto letters = TALLY_TRY(letters_of(config));
  return letters.remove(options.letter);
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("--config", o.config, "tally-worker.toml (docs/tally-worker.example.toml)")
      ->envname("TALLY_WORKER_CONFIG");
  app.add_option("--base-path", o.base_path, "folder of the journal, dead letters and probe")
      ->envname("TALLY_WORKER_BASE_PATH");
  app.add_option("--listen", o.listen, "host:port for requesters [127.0.0.1:9950]")
      ->envname("TALLY_WORKER_LISTEN");
  app.add_option("--node", o.node, "gRPC of a tallyd [127.0.0.1:9943]")
      ->envname("TALLY_WORKER_NODE");
  app.add_option("--chain", o.chain, "preset or path of a chain spec [local4]")
      ->envname("TALLY_WORKER_CHAIN");
  app.add_option("--log-level", o.log_level, "debug, info, warning or error")
      ->envname("TALLY_WORKER_LOG_LEVEL");
  app.add_option("--dev-account", o.dev_account, "a development account, on test chains: Bob");
  app.add_option("--key-file", o.key_file, "the encrypted account key");
  app.add_option("--password-file", o.password_file,
                 "its password; or the variable TALLY_WORKER_PASSWORD");
  app.add_option("--credit-window", o.credit_window, "unpaid tasks at a time in a channel");
}

int run_cli(int argc, char** argv) {
  CLI::App app{
      "Sells compute: takes tasks from requesters, runs them in a sandbox, is paid over "
      "payment channels.\nWithout a subcommand it serves until Ctrl-C or SIGTERM. Ends with 0 when "
      "stopped, 1 when it\ncannot start or run, 2 for a wrong command line or configuration.",
      "tally-worker"};
  Options o;
  add_options(app, o);
  app.set_version_flag("--version", "tally-worker " + std::string(kProgramVersion));
  app.require_subcommand(0, 1);
  app.fallthrough();
  auto* probe_command =
      app.add_subcommand("probe", "measure this machine again and show the result");
  probe_command->add_flag("--json", o.json, "for programs");
  auto* letters = app.add_subcommand("dead-letter", "tasks that were accepted and not done");
  letters->require_subcommand(1);
  auto* list = letters->add_subcommand("list", "all, oldest first");
  list->add_flag("--json", o.json, "for programs");
  auto* show = letters->add_subcommand("show", "one in full");
  show->add_option("name", o.letter, "as `list` shows it")->required();
  show->add_option("--input", o.file, "write the task's input to this file");
  show->add_flag("--json", o.json, "for programs");
  auto* replay = letters->add_subcommand("replay", "run one again, for your eyes only");
  replay->add_option("name", o.letter, "as `list` shows it")->required();
  replay->add_option("--output", o.file, "write the output to this file");
  replay->add_flag("--remove", o.remove, "remove the letter if the task is done now");
  auto* remove = letters->add_subcommand("remove", "forget one");
  remove->add_option("name", o.letter, "as `list` shows it")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kBadInput;
  }
  const auto config = effective_config(o);
  if (!config) return complain(config.error(), kBadInput);

  Result<void, Error> done;
  if (*probe_command) {
    done = run_probe(o, *config);
  } else if (*list) {
    done = list_letters(o, *config);
  } else if (*show) {
    done = show_letter(o, *config);
  } else if (*replay) {
    done = replay_letter(o, *config);
  } else if (*remove) {
    done = remove_letter(o, *config);
  } else {
    done = run(*config);
  }
  return done ? 0 : complain(done.error(), kFailure);
}

}  // namespace

int main(int argc, char** argv) {
  // Before a thread is made or a file opened: the executor's sandbox wants neither.
  if (const auto status = sandbox::run_child_if_asked(argc, argv, executors::execute))
    return *status;
  return run_cli(argc, argv);
}
