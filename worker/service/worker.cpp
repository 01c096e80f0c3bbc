#include "worker/service/worker.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "client-sdk/chain/trust_file.hpp"
#include "client-sdk/chain/trust_root.hpp"
#include "client-sdk/content/server.hpp"
#include "client-sdk/host/channel_host.hpp"
#include "genesis/chain_spec.hpp"
#include "primitives/derivation.hpp"
#include "primitives/keystore/key_file.hpp"
#include "primitives/ss58.hpp"
#include "worker/duty/driver.hpp"
#include "worker/sandbox/child.hpp"
#include "worker/service/offers.hpp"

namespace tally::worker {

namespace {

constexpr std::chrono::seconds kNodeRetry{2};
constexpr std::chrono::hours kNodePatience{24};  // while the node is behind the journal
constexpr const char* kPasswordVariable = "TALLY_WORKER_PASSWORD";

Result<std::string, Error> read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail_with("cannot read " + path.string());
  return std::string((std::istreambuf_iterator<char>(file)), {});
}

Result<genesis::ChainSpec, Error> load_spec(const std::string& chain) {
  for (const std::string_view name : genesis::preset_names()) {
    if (chain == name) return genesis::preset(name);
  }
  const auto text = read_text(chain);
  if (!text) {
    return fail_with(
        "chain must be a preset (dev, local4, bench) or the path of a chain spec, got '" + chain +
        "'");
  }
  auto spec = genesis::parse_chain_spec(*text);
  if (!spec) return fail_with(chain + ": " + spec.error().message);
  return spec;
}

Result<std::string, Error> own_path() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail_with("cannot find this program's own file: " + error.message());
  return path.string();
}

sandbox::PoolConfig pool_config(const std::string& program, const sandbox::ChildOptions& options,
                                std::size_t slots) {
  sandbox::PoolConfig pool{.command = {program}, .slots = slots, .spare = 1};
  for (auto& argument : sandbox::child_arguments(options)) pool.command.push_back(argument);
  return pool;
}

std::size_t threads_of(const WorkerConfig& config) {
  return config.threads != 0 ? config.threads : std::max(1u, std::thread::hardware_concurrency());
}

Result<client::TrustSource, Error> trust_source(const WorkerConfig& config,
                                                const client::TrustRoot& root) {
  const std::string name = to_hex(ByteView(root.genesis_hash).first(8)) + ".bin";
  client::TrustSource source{config.base_path / "trust" / name, std::nullopt};
  if (config.trust_block.empty()) return source;
  const auto block = client::parse_trusted_block(config.trust_block);
  if (!block) return fail_with("trust_block: " + block.error().message);
  source.block = *block;
  return source;
}

// A client whose chain of trust has reached the newest final block.
client::ClientResult<std::unique_ptr<client::ChainClient>> try_connect(
    const WorkerConfig& config, const client::TrustRoot& root, const client::TrustSource& trust) {
  auto chain = TALLY_TRY(client::ChainClient::connect({.endpoint = config.node}, root));
  TALLY_TRY(client::begin_trust(*chain, trust));
  TALLY_TRY(chain->finalized());
  return chain;
}

// Waits for the node: a worker may well be started before it.
Result<std::unique_ptr<client::ChainClient>, Error> connect(const WorkerConfig& config,
                                                            const client::TrustRoot& root,
                                                            const client::TrustSource& trust,
                                                            const Log& log,
                                                            const std::function<bool()>& stop) {
  while (true) {
    auto chain = try_connect(config, root, trust);
    if (chain) return *std::move(chain);
    const client::ClientError& error = chain.error();
    const bool hopeless = error.kind == client::ClientErrorKind::wrong_chain ||
                          error.kind == client::ClientErrorKind::invalid ||
                          error.kind == client::ClientErrorKind::pruned ||
                          error.code == "trust_expired";
    if (hopeless) return fail_with(error.message);
    log(LogLevel::warning, "waiting for the node at " + config.node + ": " + error.message);
    const auto until = std::chrono::steady_clock::now() + kNodeRetry;
    while (std::chrono::steady_clock::now() < until) {
      if (stop()) return fail_with("stopped before the node at " + config.node + " answered");
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

Result<std::unique_ptr<client::ChannelHost>, Error> start_channels(
    const WorkerConfig& config, const KeyPair& key, const Log& log, client::ChainClient& chain,
    client::TowerPort* tower, DurationMs period_min, std::function<bool()> give_up) {
  channel::Policy policy;
  policy.window = config.window;
  const auto tell = [log](const ChannelId& channel, const channel::Tell& notice) {
    const bool routine = notice.notice == channel::Notice::received;
    log(routine ? LogLevel::debug : LogLevel::info,
        "channel " + to_hex_prefixed(channel) + ": " + std::string(enumerator_name(notice.notice)) +
            ", version " + to_decimal(notice.version.value));
  };
  return client::ChannelHost::start(
      {.journal_folder = config.base_path / "channels",
       .key = key,
       .policy = policy,
       .take_channels = true,
       .period_min = period_min,
       .tower_key = std::nullopt,
       .tower = tower,
       .appointed_tower = config.tower.account,
       .behind_patience = kNodePatience,
       .give_up = std::move(give_up),
       .on_notice = tell,
       .on_submitted = {},
       .log = [log](const std::string& text) { log(LogLevel::info, text); }},
      chain);
}

void log_walls(const sandbox::Ready& walls, const Log& log) {
  log(LogLevel::info,
      "executors run behind seccomp, memory and CPU limits" +
          std::string(walls.landlock_abi == 0
                          ? "; this kernel has no Landlock"
                          : ", Landlock (ABI " + to_decimal(walls.landlock_abi) + ")") +
          (walls.network_namespace ? ", without a network"
                                   : "; a network namespace of their own is not allowed here"));
}

}  // namespace

executors::TaskResult Executors::run(const AccountId& tenant, const sandbox::Job& job,
                                     const sandbox::JobLimits& limits,
                                     const std::atomic<bool>& cancel) {
  const bool on_gpu = gpu != nullptr && job.type == task::TaskType::vector_search;
  return (on_gpu ? *gpu : *cpu).run(tenant, job, limits, cancel);
}

sandbox::JobLimits limits_of(const WorkerConfig& config, std::chrono::milliseconds timeout) {
  return {.cpu = std::chrono::seconds(config.cpu_seconds),
          .wall = timeout,
          .output_bytes = config.max_output_bytes};
}

Result<Executors, Error> start_executors(const WorkerConfig& config, const Log& log) {
  const std::string program = TALLY_TRY(own_path());
  Executors out;
  out.cpu = TALLY_TRY(sandbox::Pool::start(
      pool_config(program, {.memory_bytes = config.memory_bytes}, threads_of(config))));
  log_walls(out.cpu->walls(), log);
  if (!config.gpu) return out;
  auto gpu = sandbox::Pool::start(
      pool_config(program, {.memory_bytes = config.memory_bytes, .gpu = true}, 1));
  if (!gpu) {
    log(LogLevel::info, "no GPU is used: vector_search runs on the CPU");
    return out;
  }
  out.gpu = *std::move(gpu);
  out.gpu_name = out.gpu->walls().gpu;
  log(LogLevel::info, "vector_search runs on " + out.gpu_name);
  return out;
}

Result<KeyPair, Error> load_account(const AccountConfig& config) {
  if (!config.dev_account.empty()) {
    return key_from_uri(KeyScheme::ecdsa, "//" + config.dev_account);
  }
  if (config.key_file.empty()) {
    return fail_with(
        "no account: set account.key_file (made with `tally keys new`), or on a test "
        "chain account.dev_account");
  }
  std::string password;
  if (!config.password_file.empty()) {
    password = TALLY_TRY(read_text(config.password_file));
    while (!password.empty() && password.back() == '\n') password.pop_back();
  } else if (const char* variable = std::getenv(kPasswordVariable)) {
    password = variable;
  } else {
    return fail_with("no password for " + config.key_file.string() +
                     ": set account.password_file or " + kPasswordVariable);
  }
  const auto stored = TALLY_TRY(open_key_file(config.key_file, password));
  const auto pair = stored.account_pair();
  if (!pair) {
    return fail_with(config.key_file.string() + " must hold an account key, got a key for " +
                     std::string(enumerator_name(stored.kind)));
  }
  return *pair;
}

struct Worker::State {
  Executors executors;
  std::unique_ptr<DeadLetters> dead_letters;
  client::TrustSource trust;
  std::unique_ptr<client::ChainClient> chain;
  std::unique_ptr<client::FolderTower> tower;
  std::unique_ptr<client::ChannelHost> channels;
  std::unique_ptr<TaskService> service;
  std::unique_ptr<client::Submitter> submitter;
  std::unique_ptr<DutyDriver> duties;
  std::unique_ptr<content::ContentServer> content;
  std::unique_ptr<Presence> presence;

  Result<void, Error> join_network(const WorkerConfig& config, const KeyPair& key,
                                   const task::WorkerProfile& profile, const Log& log);
  Result<void, Error> start_duties(const WorkerConfig& config, const Log& log);
};

// Disputed tasks of all requesters run as one tenant: they are public anyway.
Result<void, Error> Worker::State::start_duties(const WorkerConfig& config, const Log& log) {
  const std::string chain_name = to_hex(ByteView(chain->root().genesis_hash).first(8));
  const auto tenant = submitter->key().account();
  duties = TALLY_TRY(DutyDriver::start(
      {.folder = config.base_path / "duties" / chain_name,
       .duties_max = config.registration.duties_max,
       .runs_max = config.registration.runs_max},
      {.submitter = *submitter,
       .run =
           [this, config, tenant](const DutyRun& run, const std::atomic<bool>& cancel) {
             sandbox::JobLimits limits = limits_of(config, run.patience);
             // The time that is left, and not what a paying requester gets.
             limits.cpu = std::chrono::ceil<std::chrono::seconds>(run.patience);
             limits.output_bytes = sandbox::kMaxOutput;
             return executors.run(tenant,
                                  {.id = 1, .type = run.type, .spec = run.spec, .input = run.input},
                                  limits, cancel);
           },
       .tell =
           [log](bool warning, const std::string& text) {
             log(warning ? LogLevel::warning : LogLevel::info, text);
           }}));
  if (config.content_listen.empty()) return {};
  content = TALLY_TRY(content::ContentServer::start(
      {.listen = config.content_listen},
      [this](const Hash& hash) { return duties->inputs().get(hash); }));
  log(LogLevel::info,
      "serving the inputs of disputed tasks on port " + to_decimal(content->port()));
  return {};
}

Result<void, Error> Worker::State::join_network(const WorkerConfig& config, const KeyPair& key,
                                                const task::WorkerProfile& profile,
                                                const Log& log) {
  if (config.registration.stake.is_zero()) {
    log(LogLevel::info,
        "not registered from here: set registration.stake to be found, and drawn as verifier");
    return {};
  }
  submitter = std::make_unique<client::Submitter>(key, *chain);
  const Registration wanted = TALLY_TRY(registration_of(config, key, profile));
  const auto tell = [log](bool warning, const std::string& text) {
    log(warning ? LogLevel::warning : LogLevel::info, text);
  };
  presence = TALLY_TRY(Presence::start(wanted, *submitter, tell, {}));
  if (config.registration.verify) return start_duties(config, log);
  log(LogLevel::info, "registration.verify is off: seats that are drawn pass to others");
  return {};
}

Worker::Worker(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Worker>, Error> Worker::start(const WorkerConfig& config, const Log& log,
                                                     const std::function<bool()>& stop_wanted) {
  auto state = std::make_unique<State>();
  const KeyPair key = TALLY_TRY(load_account(config.account));
  const genesis::ChainSpec spec = TALLY_TRY(load_spec(config.chain));
  const client::TrustRoot root = client::trust_root(spec);
  std::error_code error;
  std::filesystem::create_directories(config.base_path, error);
  if (error) {
    return fail_with("cannot make the folder " + config.base_path.string() + ": " +
                     error.message());
  }
  state->dead_letters = std::make_unique<DeadLetters>(TALLY_TRY(
      DeadLetters::open(config.base_path / "dead-letters",
                        {.letters = config.dead_letters, .bytes = config.dead_letter_bytes})));
  state->executors = TALLY_TRY(start_executors(config, log));
  const auto profile =
      TALLY_TRY(probe(*state->executors.cpu, {.cache = config.base_path / "probe.json",
                                              .gpu = state->executors.gpu_name}));
  log(LogLevel::info,
      to_decimal(profile.cores) + " cores, " + to_decimal(profile.memory_bytes >> 20) + " MiB, " +
          to_decimal(profile.primes_per_second / 1'000'000) +
          " million integers sieved a second and core: " + to_text(credits_per_hour(profile)) +
          " an hour at the reference price");

  state->trust = TALLY_TRY(trust_source(config, root));
  state->chain = TALLY_TRY(connect(config, root, state->trust, log, stop_wanted));
  TALLY_TRY(client::keep_trust(*state->chain, state->trust.file));
  if (!config.tower.folder.empty()) {
    state->tower = std::make_unique<client::FolderTower>(config.tower.folder);
    log(LogLevel::info,
        "payments count once the tower in " + config.tower.folder.string() + " has their states");
  }
  state->channels = TALLY_TRY(start_channels(config, key, log, *state->chain, state->tower.get(),
                                             spec.channels.period_default, stop_wanted));
  if (state->channels->journal_tail_was_cut()) {
    log(LogLevel::warning,
        "the last run ended in the middle of a journal write; nothing signed is lost");
  }
  auto results = TALLY_TRY(KeptFiles::open(config.base_path / "results", {"result", ".result"}));
  State* const raw = state.get();
  state->service = TALLY_TRY(TaskService::start(
      {.listen = config.listen,
       .key = key,
       .seal_secret = seal_secret_of(key),
       .genesis_hash = root.genesis_hash,
       .offer = offer_of(config, profile),
       .threads = threads_of(config),
       .max_waiting_tasks = config.max_waiting_tasks,
       .max_waiting_bytes = config.max_waiting_bytes,
       .max_connections = config.max_connections},
      {.earner = *state->channels,
       .dead_letters = *state->dead_letters,
       .results = std::move(results),
       .run =
           [raw, config](const TaskJob& job) {
             return raw->executors.run(
                 job.requester,
                 {.id = job.id, .type = job.type, .spec = job.spec, .input = job.input},
                 limits_of(config, job.timeout), job.cancelled);
           },
       .log = log}));
  TALLY_TRY(state->join_network(config, key, profile, log));
  log(LogLevel::info, "worker " + to_ss58(key.account()) + " takes tasks on " + config.listen +
                          " (port " + to_decimal(state->service->port()) + ")");
  return std::unique_ptr<Worker>(new Worker(std::move(state)));
}

Worker::~Worker() {
  state_->presence.reset();
  state_->content.reset();
  state_->duties.reset();
  state_->service.reset();
  state_->channels.reset();
}

Result<void, Error> Worker::keep_trust() const {
  return client::keep_trust(*state_->chain, state_->trust.file);
}
ServiceCounters Worker::counters() const {
  return state_->service->counters();
}
std::uint16_t Worker::port() const {
  return state_->service->port();
}

}  // namespace tally::worker
