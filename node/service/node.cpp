#include "node/service/node.hpp"

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "genesis/build.hpp"
#include "node/execution/snapshots.hpp"
#include "node/network/transport.hpp"
#include "node/service/core_loop.hpp"
#include "node/service/folder_lock.hpp"
#include "node/service/metrics.hpp"
#include "node/service/query.hpp"
#include "node/service/worker_pool.hpp"
#include "node/signer/remote.hpp"
#include "node/store/rocks_store.hpp"
#include "node/store/vote_log.hpp"
#include "primitives/version.hpp"
#include "rpc/server.hpp"

namespace tally::service {
namespace {

constexpr std::uint32_t kBlockOverheadMax = 64 * 1024;  // header, lengths
constexpr std::size_t kCallsMax = 4096;
constexpr std::size_t kSpecBytesMax = 64 << 20;

Failure<StartError> refuse(Exit code, std::string message) {
  return fail(StartError{code, std::move(message)});
}

// A Result whose error is a plain Error, with the exit code that it means here.
template <class T>
Result<T, StartError> or_exit(Exit code, Result<T, Error> result) {
  if (!result.ok()) return refuse(code, std::move(result.error().message));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

Result<genesis::ChainSpec, Error> load_spec(const std::string& chain) {
  if (genesis::preset_json(chain)) return genesis::preset(chain);
  std::ifstream file(chain, std::ios::binary);
  std::error_code error;
  const auto size = std::filesystem::file_size(chain, error);
  if (!file || error || size > kSpecBytesMax) {
    return fail_with(
        "chain: expected a preset (dev, local4, bench) or a readable chain spec file, came '" +
        chain + "'");
  }
  std::ostringstream text;
  text << file.rdbuf();
  auto spec = genesis::parse_chain_spec(text.str());
  if (!spec.ok()) return fail_with("chain spec " + chain + ": " + spec.error().message);
  return spec;
}

consensus::ChainSetup chain_setup(const genesis::ChainSpec& spec, const genesis::Genesis& genesis,
                                  bool trust_missing_votes) {
  consensus::ChainSetup out;
  out.genesis_hash = genesis.hash;
  out.genesis = genesis.header;
  out.genesis_time = spec.genesis_time;
  for (const Validator& validator : spec.validators) {
    TALLY_ASSERT(out.first.members.push_back(validator));  // check_chain_spec has counted them
  }
  out.second = out.first;
  out.parameters = {spec.consensus.delta,           spec.blocks.min_block_interval,
                    spec.blocks.idle_interval,      spec.consensus.max_drift,
                    spec.consensus.epoch_length,    spec.blocks.block_bytes_max + kBlockOverheadMax,
                    spec.blocks.extrinsic_bytes_max};
  out.trust_missing_votes = trust_missing_votes;
  return out;
}

class SystemClock final : public ports::Clock {
 public:
  ports::Moment now() const override { return CoreLoop::now(); }
};

std::size_t worker_threads() {
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

class Node::Impl final : public network::TransportListener {
 public:
  Impl(const NodeConfig& config, Log log, std::function<void(Exit)> on_fatal)
      : config_(config), log_(std::move(log)), on_fatal_(std::move(on_fatal)) {}
  ~Impl() override { stop(); }

  Result<void, StartError> start();
  void stop();

  void on_peer_up(const network::PeerLink& link) override {
    inbox_.push_control([this, peer = link.peer] { core_->on_peer_up(peer); });
  }
  void on_peer_down(const ports::PeerId& peer, const std::string&) override {
    inbox_.push_control([this, peer] { core_->on_peer_down(peer); });
  }
  void on_frame(network::ReceivedFrame frame) override {
    const ports::PeerId from = frame.peer;
    const bool urgent = frame.urgent;
    inbox_.push_frame(from, urgent, [this, frame = std::move(frame)] {
      core_->on_frame(frame.peer, frame.bytes);
    });
  }

 private:
  Result<void, StartError> open_chain();
  Result<void, StartError> open_store();
  Result<void, StartError> open_network();
  void make_core();
  Result<void, StartError> open_services();

  NodeConfig config_;
  Log log_;
  std::function<void(Exit)> on_fatal_;
  SystemClock clock_;

  genesis::ChainSpec spec_;
  genesis::Genesis genesis_;
  std::unique_ptr<FolderLock> lock_;
  std::optional<keystore::ValidatorKeys> keys_;
  Inbox inbox_{kCallsMax};  // beyond the signer, whose thread still pushes as it ends
  std::unique_ptr<ports::KeyHolder> signer_;
  std::optional<core::Reporter> reporter_;
  std::optional<network::NodeIdentity> identity_;

  std::unique_ptr<ports::Store> store_;
  std::unique_ptr<ports::VoteLog> vote_log_;
  std::unique_ptr<ports::HighWaterFile> high_water_;
  std::unique_ptr<execution::FinalState> final_state_;
  std::unique_ptr<txpool::TxPool> pool_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<PoolVerifier> verifier_;
  std::unique_ptr<execution::ChainApplication> application_;
  std::unique_ptr<execution::Snapshots> snapshots_;
  std::unique_ptr<network::Transport> transport_;
  std::unique_ptr<Metrics> metrics_;
  Subscriptions subscriptions_;
  std::unique_ptr<CoreLoop> loop_;
  std::unique_ptr<core::NodeCore> core_;
  std::unique_ptr<NodeQuery> query_;
  std::unique_ptr<rpc::Server> rpc_;
};

Result<void, StartError> Node::Impl::open_chain() {
  spec_ = TALLY_TRY(or_exit(Exit::bad_input, load_spec(config_.chain)));
  genesis_ = genesis::build_genesis(spec_);
  config_ = TALLY_TRY(or_exit(Exit::bad_input, with_defaults(config_, spec_)));
  const auto checked = chain_setup(spec_, genesis_, false).parameters.check();
  if (!checked.ok()) {
    return refuse(Exit::bad_input, "chain spec " + config_.chain + ": " + checked.error().message);
  }
  if (const auto& trusted = config_.sync.trusted) {
    const std::uint32_t length = spec_.consensus.epoch_length;
    if (trusted->number.value == 0 || trusted->number.value % length != 0) {
      return refuse(Exit::bad_input,
                    "--trust-block: expected the last block of an epoch, whose number is a "
                    "multiple of " +
                        std::to_string(length) + ", came " + std::to_string(trusted->number.value));
    }
  }
  auto lock = FolderLock::take(config_.base_path);
  if (!lock.ok()) {
    return refuse(lock.error().in_use ? Exit::folder_in_use : Exit::cannot_start,
                  lock.error().message);
  }
  lock_ = *std::move(lock);
  const auto violation = config_.base_path / "evidence" / kViolationFile;
  std::error_code error;
  if (std::filesystem::exists(violation, error)) {
    return refuse(Exit::safety_violation,
                  "this node stopped because the validators broke the protocol; the proof is in " +
                      violation.string() + "; agree with the other operators, then move it away");
  }
  keys_ = TALLY_TRY(or_exit(Exit::bad_input, validator_keys_of(config_)));
  if (keys_) signer_ = keys_->signer();
  if (config_.signer) {
    signer_ = TALLY_TRY(or_exit(
        Exit::cannot_start,
        signer::RemoteSigner::start({*config_.signer, config_.base_path / "signer-key", [this] {
                                       inbox_.push_control([this] { core_->on_timer(); });
                                     }})));
  }
  if (const auto key = TALLY_TRY(or_exit(Exit::bad_input, reporter_key_of(config_)))) {
    reporter_ = core::Reporter{key->account(),
                               [key = *key](ByteView payload) { return key.sign(payload); }};
  }
  return {};
}

Result<void, StartError> Node::Impl::open_store() {
  const std::filesystem::path& base = config_.base_path;
  workers_ = std::make_unique<WorkerPool>(worker_threads());
  verifier_ = std::make_unique<PoolVerifier>(
      *workers_, [this](std::uint64_t ticket, std::vector<bool> results) {
        inbox_.push_result([this, ticket, answer = std::move(results)] {
          core_->on_signatures_checked(ticket, answer);
        });
      });
  auto opened = store::open_rocks_store((base / "db").string());
  if (!opened.ok()) {
    return refuse(opened.error().damaged ? Exit::database_damaged : Exit::cannot_start,
                  opened.error().message);
  }
  store_ = *std::move(opened);
  vote_log_ = store::open_vote_log(store::posix_file((base / "votes.log").string()));
  high_water_ = store::open_high_water(store::posix_file((base / "high-water").string()));
  const auto installed =
      execution::install_genesis(*store_, {&genesis_.state, &genesis_.header}, workers_.get());
  if (installed == execution::GenesisResult::other_chain) {
    const auto first = ports::find_final(*store_, BlockNumber(0));
    return refuse(Exit::bad_input,
                  "the data folder " + base.string() + " holds another chain: expected genesis " +
                      to_hex(genesis_.hash) + " (" + spec_.chain_id + "), came " +
                      (first ? to_hex(*first) : std::string("none")) +
                      "; choose another --base-path, or the --chain that it was made with");
  }
  if (installed == execution::GenesisResult::damaged) {
    return refuse(
        Exit::database_damaged,
        store::damage_advice((base / "db").string(), "a fetched state has changed on the disk"));
  }
  final_state_ = std::make_unique<execution::FinalState>(*store_);
  pool_ = std::make_unique<txpool::TxPool>(*final_state_, config_.pool);
  execution::Options options;
  options.retention = {.states = config_.pruning,
                       .blocks = config_.pruning,
                       .epoch_length = spec_.consensus.epoch_length};
  options.executor = workers_.get();
  application_ = std::make_unique<execution::ChainApplication>(
      execution::ChainApplication::Parts{*store_, *final_state_, *pool_, *verifier_}, options);
  snapshots_ = std::make_unique<execution::Snapshots>(*store_, [this] { application_->reload(); });
  return {};
}

Result<void, StartError> Node::Impl::open_network() {
  identity_ = TALLY_TRY(or_exit(Exit::bad_input, identity_of(config_)));
  network::TransportSettings settings;
  settings.listen_host = config_.listen;
  settings.listen_port = *config_.port;
  settings.bootnodes = *config_.bootnodes;
  settings.inbound_max = config_.peers_max;
  settings.genesis = genesis_.hash;
  if (signer_) {
    settings.prover = network::ValidatorProver{
        signer_->consensus_key(), [this](ByteView bytes) { return signer_->try_sign(bytes); }};
  }
  transport_ = TALLY_TRY(
      or_exit(Exit::cannot_start, network::Transport::start(*identity_, std::move(settings), *this,
                                                            log_.component("network"))));
  return {};
}

void Node::Impl::make_core() {
  CoreLoop::Parts parts{inbox_,
                        clock_,
                        *pool_,
                        *application_,
                        *transport_,
                        subscriptions_,
                        log_.component("core"),
                        *metrics_,
                        on_fatal_,
                        config_.base_path / "evidence",
                        signer_ != nullptr,
                        spec_.blocks.idle_interval};
  loop_ = std::make_unique<CoreLoop>(std::move(parts));
  core::CorePorts ports;
  ports.clock = &clock_;
  ports.network = transport_.get();
  ports.store = store_.get();
  ports.vote_log = vote_log_.get();
  ports.high_water = high_water_.get();
  ports.application = application_.get();
  ports.pool = pool_.get();
  ports.verifier = verifier_.get();
  ports.signer = signer_.get();
  ports.listener = loop_.get();
  ports.chain = final_state_.get();
  if (reporter_) ports.reporter = &*reporter_;
  ports.snapshots = snapshots_.get();
  ports.sync = config_.sync;
  consensus::ChainSetup chain = chain_setup(spec_, genesis_, config_.trust_missing_votes);
  chain.own_key_guard = config_.start_up_guard;
  core_ = std::make_unique<core::NodeCore>(std::move(chain), identity_->id(), ports);
}

Result<void, StartError> Node::Impl::open_services() {
  ports::NodeInfo info;
  info.version = kProgramVersion;
  info.node_key = to_hex(identity_->id());
  info.role = signer_ ? "validator" : "full";
  query_ = std::make_unique<NodeQuery>(
      NodeQuery::Parts{spec_, genesis_.hash, info, *store_, config_.base_path, *transport_, inbox_,
                       subscriptions_, *core_, *pool_, *application_});
  loop_->start(*core_, *query_);
  rpc::ServerConfig server;
  server.listen = config_.rpc_listen + ":" + std::to_string(*config_.rpc_port);
  rpc_ = TALLY_TRY(or_exit(Exit::cannot_start, rpc::Server::start(server, *query_)));
  log_.info("node is up", {{"chain", spec_.chain_id},
                           {"genesis", to_hex(genesis_.hash)},
                           {"role", info.role},
                           {"height", ports::find_head(*store_)->number.value},
                           {"peers_port", transport_->port()},
                           {"rpc_port", rpc_->port()},
                           {"base_path", config_.base_path.string()}});
  return {};
}

Result<void, StartError> Node::Impl::start() {
  TALLY_TRY(open_chain());
  TALLY_TRY(open_store());
  metrics_ = config_.metrics
                 ? TALLY_TRY(or_exit(Exit::cannot_start,
                                     Metrics::start(config_.metrics_listen, *config_.metrics_port,
                                                    config_.base_path)))
                 : Metrics::unserved();
  TALLY_TRY(open_network());
  make_core();
  return open_services();
}

void Node::Impl::stop() {
  if (rpc_) rpc_->stop();
  if (transport_) transport_->stop();
  inbox_.close();
  if (loop_) loop_->join();
  workers_.reset();  // what it still checks has nobody to hear of it
  if (store_) store_->sync();
  if (loop_) log_.info("node has stopped");
  rpc_.reset();
  store_.reset();
  lock_.reset();
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;
void Node::stop() {
  impl_->stop();
}

Result<std::unique_ptr<Node>, StartError> Node::start(const NodeConfig& config, const Log& log,
                                                      std::function<void(Exit)> on_fatal) {
  auto impl = std::make_unique<Impl>(config, log, std::move(on_fatal));
  TALLY_TRY(impl->start());
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

}  // namespace tally::service
