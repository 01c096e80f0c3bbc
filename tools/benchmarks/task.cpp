// What a task costs beyond its own compute: requester and worker with real channels, streams,
// journals and sandboxed executors on loopback. Only the chain is played: it is not asked while
// tasks run.
#include <algorithm>
#include <stdexcept>

#include "client-sdk/chain/client.hpp"
#include "client-sdk/host/channel_host.hpp"
#include "client-sdk/task/session.hpp"
#include "modules/channels/signing.hpp"
#include "modules/channels/storage.hpp"
#include "modules/system/storage.hpp"
#include "primitives/derivation.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"
#include "runtime/events.hpp"
#include "runtime/transaction.hpp"
#include "tests/support/process.hpp"
#include "tools/benchmarks/measure.hpp"
#include "worker/executors/executor.hpp"
#include "worker/sandbox/pool.hpp"
#include "worker/service/task_service.hpp"

namespace tally::bench {
namespace {

using client::ChannelHost;
using testing::FakeChain;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kWarmUp = 50;
constexpr std::size_t kTasks = 500;

template <class T, class E>
T need(Result<T, E> result, const char* what) {
  if (!result.ok()) throw std::runtime_error(std::string(what) + ": " + result.error().message);
  return *std::move(result);
}

// A chain on which channels are opened, one block each.
class OpeningChain {
 public:
  OpeningChain() {
    rpc::ServerConfig config;
    config.listen = "127.0.0.1:0";
    server_ = need(rpc::Server::start(config, chain_), "the chain's server");
    chain_.add_block();
    chain_.on_submit = [this](const Bytes& extrinsic) { include(extrinsic); };
  }
  Hash genesis_hash() const { return chain_.genesis_hash(); }
  std::unique_ptr<client::ChainClient> connect() {
    return need(client::ChainClient::connect(
                    {"127.0.0.1:" + std::to_string(server_->port()), 10'000, 20'000},
                    {chain_.genesis_hash(), chain_.genesis_state_root(), chain_.epoch_blocks(),
                     chain_.validators()}),
                "the chain's client");
  }

 private:
  void include(const Bytes& extrinsic) {
    const auto tx = runtime::decode_transaction(extrinsic);
    if (!tx) return;
    const auto* call = std::get_if<runtime::ChannelsCall>(&tx->call);
    const auto* open = call == nullptr ? nullptr : std::get_if<channels::Open>(&call->value);
    if (open == nullptr) return;
    const Balance deposit = open->deposit.value;
    const ChannelId id = channels::channel_id_of(
        {chain_.genesis_hash(), tx->signer, open->counterparty, 0, open->challenge_period});
    channels::Channel record{.opener = tx->signer,
                             .counterparty = open->counterparty,
                             .challenge_period = open->challenge_period,
                             .phase = channels::Phase::open};
    record.floor.balance_a = deposit;
    record.held[0] = deposit;
    std::vector<runtime::EventRecord> events;
    const channels::Event opened = channels::ChannelOpened{
        id, tx->signer, open->counterparty, deposit, {}, open->challenge_period, false};
    events.push_back({PhaseApply{0}, runtime::ChannelsEvent{opened}, {}});
    events.push_back(
        {PhaseApply{0}, runtime::SystemEvent{system::Event(system::ExtrinsicSuccess{})}, {}});
    const ports::BlockRef block =
        chain_.add_block({{to_bytes(channels::kChannels.key(id)), encode(record)},
                          {to_bytes(runtime::kEvents.key()), encode(events)}},
                         {extrinsic});
    chain_.tell(extrinsic_hash(extrinsic), ports::TxFinalized{{block, true, 0}});
  }

  FakeChain chain_;
  std::unique_ptr<rpc::Server> server_;
};

// A requester and a worker with a channel between them.
class Workplace {
 public:
  Workplace() {
    pool_ = need(sandbox::Pool::start({.command = {TALLY_BINARY_DIR "/bin/tally-worker",
                                                   "--executor", to_decimal(256 << 20)},
                                       .slots = 1,
                                       .spare = 1}),
                 "the executors");
    requester_ = host(requester_key_, *requester_chain_, "requester");
    worker_ = host(worker_key_, *worker_chain_, "worker");
    start_service();
    channel_ = need(requester_->open({.counterparty = worker_key_.account(),
                                      .deposit = Balance(1'000 * kCredit.micro),
                                      .challenge_period = DurationMs(10'000)}),
                    "the channel");
    session_ =
        need(task::Session::connect({"127.0.0.1:" + std::to_string(service_->port()),
                                     worker_key_.account(), requester_key_, chain_.genesis_hash()},
                                    *requester_),
             "the session");
  }
  ~Workplace() {
    session_.reset();
    service_.reset();
  }

  // Until the receipt is checked and the payment is signed.
  void work(const Bytes& spec) {
    need(session_->run({.type = task::TaskType::prime_calculation,
                        .channel_id = channel_,
                        .spec = spec,
                        .input = {},
                        .max_price = kCredit}),
         "a task");
  }

 private:
  std::unique_ptr<ChannelHost> host(const KeyPair& key, client::ChainClient& chain,
                                    const char* name) {
    client::HostConfig config;
    config.journal_folder = folder_.path() / name;
    config.key = key;
    config.take_channels = true;
    return need(ChannelHost::start(std::move(config), chain), name);
  }
  void start_service() {
    letters_ = std::make_unique<worker::DeadLetters>(
        need(worker::DeadLetters::open(folder_.path() / "letters"), "the dead letters"));
    task::WorkerOffer offer{.environment = task::executor_environment(),
                            .window = 64,
                            .credit_window = 8,
                            .max_timeout_ms = 60'000,
                            .max_input_bytes = 32 << 20,
                            .max_output_bytes = 10 << 20};
    for (const auto& price : task::reference_prices()) TALLY_ASSERT(offer.prices.push_back(price));
    service_ =
        need(worker::TaskService::start(
                 {.listen = "127.0.0.1:0",
                  .key = worker_key_,
                  .seal_secret = Secret::generate(),
                  .genesis_hash = chain_.genesis_hash(),
                  .offer = offer,
                  .threads = 1},
                 {.earner = *worker_,
                  .dead_letters = *letters_,
                  .run =
                      [this](const worker::TaskJob& job) {
                        return pool_->run(
                            job.requester,
                            {.id = job.id, .type = job.type, .spec = job.spec, .input = job.input},
                            {.wall = job.timeout}, job.cancelled);
                      },
                  .log = [](worker::LogLevel, const std::string&) {}}),
             "the worker");
  }

  KeyPair requester_key_ = dev_key(KeyScheme::ecdsa, "Alice");
  KeyPair worker_key_ = dev_key(KeyScheme::ecdsa, "Bob");
  tests::TempFolder folder_;
  OpeningChain chain_;
  std::unique_ptr<client::ChainClient> requester_chain_ = chain_.connect();
  std::unique_ptr<client::ChainClient> worker_chain_ = chain_.connect();
  std::unique_ptr<worker::DeadLetters> letters_;
  std::unique_ptr<sandbox::Pool> pool_;
  std::unique_ptr<ChannelHost> requester_;
  std::unique_ptr<ChannelHost> worker_;
  std::unique_ptr<worker::TaskService> service_;
  ChannelId channel_;
  std::unique_ptr<task::Session> session_;
};

double median_ms(std::size_t runs, const std::function<void()>& work) {
  std::vector<double> times;
  for (std::size_t i = 0; i < runs; ++i) {
    const auto start = Clock::now();
    work();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

std::vector<Row> task_rows() {
  const Bytes spec = encode(task::PrimeSpec{0, 1'000});
  const double compute = median_ms(kTasks, [&] {
    TALLY_ASSERT(executors::execute(task::TaskType::prime_calculation, spec, {}).ok());
  });
  Workplace workplace;
  for (std::size_t i = 0; i < kWarmUp; ++i) workplace.work(spec);
  const double whole = median_ms(kTasks, [&] { workplace.work(spec); });
  return {{.name = "overhead of a task beyond its own compute, loopback, median",
           .value = whole - compute,
           .unit = "ms",
           .target = 1,
           .less_is_better = true}};
}

}  // namespace tally::bench
