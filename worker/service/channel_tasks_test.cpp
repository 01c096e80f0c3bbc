// Requester and worker whole, over a chain in memory: real channels, real streams, real executors.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <thread>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/host/channel_host.hpp"
#include "client-sdk/task/checking.hpp"
#include "client-sdk/task/steady.hpp"
#include "modules/channels/signing.hpp"
#include "modules/channels/storage.hpp"
#include "modules/system/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"
#include "rpc/testing/knob.hpp"
#include "runtime/events.hpp"
#include "runtime/transaction.hpp"
#include "tests/support/relay.hpp"
#include "worker/sandbox/pool.hpp"
#include "worker/service/task_service.hpp"

namespace tally::worker {
namespace {

using namespace std::chrono_literals;
using client::ChannelHost;
using testing::FakeChain;

const KeyPair kRequester = dev_key(KeyScheme::ecdsa, "Alice");
const KeyPair kWorker = dev_key(KeyScheme::ecdsa, "Bob");

// Opens and closes channels as the chain would, one block a call; checks nothing.
struct ChannelChain {
  FakeChain chain;
  std::unique_ptr<rpc::Server> server;
  std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex);
    return calls_;
  }
  std::optional<channels::CoSignedState> closed() const {
    const std::lock_guard lock(mutex);
    return closed_;
  }

  mutable std::mutex mutex;
  std::vector<std::string> calls_;
  std::optional<channels::CoSignedState> closed_;

  ChannelChain() {
    rpc::ServerConfig config;
    config.listen = "127.0.0.1:0";
    server = *rpc::Server::start(config, chain);
    chain.add_block();
    chain.on_submit = [this](const Bytes& extrinsic) { include(extrinsic); };
  }

  std::unique_ptr<client::ChainClient> connect() {
    auto connected = client::ChainClient::connect(
        {"127.0.0.1:" + std::to_string(server->port()), 10'000, 20'000},
        {chain.genesis_hash(), chain.genesis_state_root(), chain.epoch_blocks(),
         chain.validators()});
    if (!connected) FAIL(connected.error().message);
    return *std::move(connected);
  }

  void include(const Bytes& extrinsic) {
    const std::lock_guard lock(mutex);
    const auto tx = runtime::decode_transaction(extrinsic);
    if (!tx) return;
    const auto* call = std::get_if<runtime::ChannelsCall>(&tx->call);
    if (call == nullptr) return;
    FakeChain::Changes changes;
    std::vector<runtime::EventRecord> records;
    const auto happened = [&](runtime::RuntimeEvent event) {
      records.push_back({PhaseApply{0}, std::move(event), {}});
    };
    if (const auto* open = std::get_if<channels::Open>(&call->value)) {
      happened(runtime::ChannelsEvent{channels::Event(apply(tx->signer, *open, changes))});
    } else if (const auto* close = std::get_if<channels::Close>(&call->value)) {
      happened(runtime::ChannelsEvent{channels::Event(apply(*close, changes))});
    }
    happened(runtime::SystemEvent{system::Event(system::ExtrinsicSuccess{})});
    changes[to_bytes(runtime::kEvents.key())] = encode(records);
    const ports::BlockRef block = chain.add_block(changes, {extrinsic});
    const Hash hash = extrinsic_hash(extrinsic);
    chain.tell(hash, ports::TxReady{});
    chain.tell(hash, ports::TxInBlock{{block, false, 0}});
    chain.tell(hash, ports::TxFinalized{{block, true, 0}});
  }

  BlockNumber next_block() const { return BlockNumber(chain.heads().finalized.number.value + 1); }

  channels::ChannelOpened apply(const AccountId& opener, const channels::Open& open,
                                FakeChain::Changes& changes) {
    calls_.emplace_back("open");
    const ChannelId id = channels::channel_id_of(
        {chain.genesis_hash(), opener, open.counterparty, 0, open.challenge_period});
    channels::Channel record{.opener = opener,
                             .counterparty = open.counterparty,
                             .challenge_period = open.challenge_period,
                             .opened_in = next_block(),
                             .phase = channels::Phase::open};
    record.floor.balance_a = open.deposit.value;
    record.held[0] = open.deposit.value;
    changes[to_bytes(channels::kChannels.key(id))] = encode(record);
    return {id, opener, open.counterparty, open.deposit.value, {}, open.challenge_period, false};
  }

  channels::ChannelClosed apply(const channels::Close& close, FakeChain::Changes& changes) {
    calls_.emplace_back("close");
    closed_ = close.close;
    changes[to_bytes(channels::kChannels.key(close.close.state.channel_id))] = std::nullopt;
    return {close.close.state.channel_id,
            kRequester.account(),
            kWorker.account(),
            channels::Ending::co_operative,
            close.close.state.version,
            close.close.state.receipts_count,
            {}};
  }
};

// The worker's channels, and a word before a receipt leaves.
struct Earner final : task::EarnerPort {
  explicit Earner(ChannelHost& of) : host(of) {}
  void peer_connected(const AccountId& peer, std::uint64_t connection,
                      task::SendChannelMessage send) override {
    host.peer_connected(peer, connection, std::move(send));
  }
  void peer_gone(const AccountId& peer, std::uint64_t connection) override {
    host.peer_gone(peer, connection);
  }
  Result<void, Error> peer_message(const AccountId& peer, ByteView message) override {
    return host.peer_message(peer, message);
  }
  Result<task::EarnerStanding, Error> standing(const ChannelId& channel,
                                               const AccountId& requester) override {
    return host.standing(channel, requester);
  }
  Result<void, Error> issued(const task::SignedReceipt& receipt) override {
    auto done = host.issued(receipt);
    if (const auto then = before_receipt.take()) then();
    return done;
  }
  void on_paid(std::function<void(const ChannelId&, Balance received)> callback) override {
    host.on_paid(std::move(callback));
  }
  ChannelHost& host;
  testing::Knob<std::function<void()>> before_receipt;  // once
};

struct Fixture {
  explicit Fixture(std::uint32_t credit = 1) : credit_window(credit) {
    folder = std::filesystem::temp_directory_path() / ("tally-e2e-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder);
    letters = std::make_unique<DeadLetters>(*DeadLetters::open(folder / "letters"));
    pool = *sandbox::Pool::start({.command = {TALLY_BINARY_DIR "/tests/tally_plain_executor",
                                              "--executor", to_decimal(256 << 20)},
                                  .slots = 2,
                                  .spare = 1});
    requester_chain = chain.connect();
    worker_chain = chain.connect();
    requester = host(kRequester, *requester_chain, "requester");
    start_worker();
  }
  ~Fixture() {
    session.reset();
    stop_worker();
    requester.reset();
    std::filesystem::remove_all(folder);
  }

  std::unique_ptr<ChannelHost> host(const KeyPair& key, client::ChainClient& client,
                                    const std::string& name) {
    auto started = ChannelHost::start({.journal_folder = folder / name,
                                       .key = key,
                                       .policy = {},
                                       .take_channels = true,
                                       .now = [] { return testing::FakeChain::kGenesisTime; },
                                       .tower_key = std::nullopt,
                                       .on_notice = {},
                                       .on_submitted = {},
                                       .log = {}},
                                      client);
    if (!started) FAIL(started.error().message);
    return *std::move(started);
  }
  void start_worker() {
    worker = host(kWorker, *worker_chain, "worker");
    earner = std::make_unique<Earner>(*worker);
    task::WorkerOffer offer{.environment = task::executor_environment(),
                            .window = 64,
                            .credit_window = credit_window,
                            .max_timeout_ms = 60'000,
                            .max_input_bytes = 32 << 20,
                            .max_output_bytes = 10 << 20};
    for (const auto& price : task::reference_prices()) REQUIRE(offer.prices.push_back(price));
    auto started =
        TaskService::start({.listen = "127.0.0.1:0",
                            .key = kWorker,
                            .seal_secret = Secret::generate(),
                            .genesis_hash = chain.chain.genesis_hash(),
                            .offer = offer,
                            .threads = 2},
                           {.earner = *earner,
                            .dead_letters = *letters,
                            .results = *KeptFiles::open(folder / "results", {"result", ".r"}),
                            .run = [this](const TaskJob& job) { return run(job); },
                            .log = [](LogLevel, const std::string&) {}});
    if (!started) FAIL(started.error().message);
    service = *std::move(started);
  }
  // A lie is one prime too many.
  executors::TaskResult run(const TaskJob& job) {
    ++runs;
    runs.notify_all();
    while (held_back) std::this_thread::sleep_for(1ms);
    auto result = pool->run(job.requester,
                            {.id = job.id, .type = job.type, .spec = job.spec, .input = job.input},
                            {.wall = job.timeout}, job.cancelled);
    if (!result || lies_left == 0) return result;
    --lies_left;
    auto output = *decode<task::PrimeOutput>(result->bytes);
    ++output.count;
    const Bytes bytes = encode(output);
    return executors::TaskOutput{.bytes = bytes, .hash = blake2_256(bytes)};
  }
  void stop_worker() {
    service.reset();
    earner.reset();
    worker.reset();
  }
  void connect(std::chrono::milliseconds answer_patience = 600s) {
    connect(service->port(), answer_patience);
  }
  void connect(std::uint16_t port, std::chrono::milliseconds answer_patience) {
    auto connected = task::Session::connect({.endpoint = "127.0.0.1:" + std::to_string(port),
                                             .worker = kWorker.account(),
                                             .key = kRequester,
                                             .genesis_hash = chain.chain.genesis_hash(),
                                             .answer_patience = answer_patience},
                                            *requester);
    if (!connected) FAIL(connected.error().message);
    session = *std::move(connected);
  }
  ChannelId open(Balance deposit) {
    auto opened = requester->open({.counterparty = kWorker.account(),
                                   .deposit = deposit,
                                   .challenge_period = DurationMs(10'000)});
    if (!opened) FAIL(opened.error().message);
    return *opened;
  }
  void work(const ChannelId& id, int tasks) {
    for (int i = 0; i < tasks; ++i) {
      const auto reply = session->run({.type = task::TaskType::prime_calculation,
                                       .channel_id = id,
                                       .spec = encode(task::PrimeSpec{0, 10'000'000}),
                                       .input = {},
                                       .max_price = kCredit});
      if (!reply) FAIL(reply.error().message);
      REQUIRE(decode<task::PrimeOutput>(reply->output)->count == 664'579);
    }
  }

  std::atomic<int> runs{0};
  std::atomic<int> lies_left{0};
  std::atomic<bool> held_back{false};
  std::uint32_t credit_window;
  std::filesystem::path folder;
  ChannelChain chain;
  std::unique_ptr<DeadLetters> letters;
  std::unique_ptr<sandbox::Pool> pool;
  std::unique_ptr<client::ChainClient> requester_chain;
  std::unique_ptr<client::ChainClient> worker_chain;
  std::unique_ptr<ChannelHost> requester;
  std::unique_ptr<ChannelHost> worker;
  std::unique_ptr<Earner> earner;
  std::unique_ptr<TaskService> service;
  std::unique_ptr<task::Session> session;
};

task::TaskRequest primes_in(const ChannelId& id) {
  return {.type = task::TaskType::prime_calculation,
          .channel_id = id,
          .spec = encode(task::PrimeSpec{0, 1'000}),
          .input = {},
          .max_price = kCredit};
}

TEST_CASE("a hundred paid tasks cost two transactions") {
  Fixture f;
  const ChannelId id = f.open(kCredit);
  f.connect();
  f.work(id, 100);
  const auto closed = f.requester->close(id, 20s);
  if (!closed) FAIL(closed.error().message);
  CHECK(f.chain.calls() == std::vector<std::string>{"open", "close"});
  REQUIRE(f.chain.closed());
  CHECK(f.chain.closed()->state.receipts_count == 100);
  CHECK(f.chain.closed()->state.balance_b == Balance(600));
  CHECK(f.chain.closed()->state.balance_a == Balance(1'000'000 - 600));
}

TEST_CASE("a worker that ends and comes back goes on in the same channel") {
  Fixture f;
  const ChannelId id = f.open(kCredit);
  f.connect();
  f.work(id, 5);
  f.stop_worker();
  const auto lost = f.session->run({.type = task::TaskType::prime_calculation,
                                    .channel_id = id,
                                    .spec = encode(task::PrimeSpec{0, 100}),
                                    .input = {},
                                    .max_price = kCredit});
  REQUIRE_FALSE(lost.ok());
  CHECK(lost.error().kind == task::TaskErrorKind::disconnected);
  f.session.reset();
  f.start_worker();
  f.connect();
  f.work(id, 5);
  REQUIRE(f.requester->close(id, 20s).ok());
  CHECK(f.chain.closed()->state.receipts_count == 10);
  CHECK(f.chain.closed()->state.balance_b == Balance(60));
}

TEST_CASE("a channel that was opened while the worker was away is taken on when work comes") {
  Fixture f;
  f.stop_worker();
  const ChannelId id = f.open(kCredit);
  f.start_worker();
  f.connect();
  f.work(id, 1);
  CHECK(f.requester->close(id, 20s).ok());
}

// Fails when the worker's books begin at the first task: the payment before it does not count, and
// the first task waits for ever.
TEST_CASE("a worker with no credit to give is paid ahead, one task at a time") {
  Fixture f(0);
  const ChannelId id = f.open(kCredit);
  f.connect();
  f.work(id, 2);
  // No picture: it fails, and what was paid ahead (40 uCC a megapixel) stays for the next one.
  auto bad = primes_in(id);
  bad.type = task::TaskType::image_resize;
  bad.spec = encode(task::ImageResizeSpec{.source_format = task::ImageFormat::png,
                                          .source_width = 300,
                                          .source_height = 400,
                                          .format = task::ImageFormat::png,
                                          .width = 150,
                                          .height = 200,
                                          .quality = 0});
  const Bytes noise(1'000, 7);
  bad.input = {{.bytes = noise}};
  const auto failed = f.session->run(bad);
  REQUIRE_FALSE(failed.ok());
  CHECK(f.requester->find(id)->record.prepaid == Balance(6));
  f.work(id, 1);
  CHECK(f.requester
            ->wait(
                id, [](const auto& view) { return view.record.prepaid.is_zero(); }, 20s)
            .ok());
  // Both restart: neither owes the other anything.
  f.session.reset();
  f.stop_worker();
  f.start_worker();
  f.connect();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { good += f.session->run(primes_in(id)).ok(); });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 3);
  REQUIRE(f.requester->close(id, 20s).ok());
  CHECK(f.chain.closed()->state.receipts_count == 6);
  CHECK(f.chain.closed()->state.balance_b == Balance(3 * 6 + 3 * 1));
}

// Fails when a late answer is dropped for good (nothing to pay with, and the worker does no more),
// and when the same task is paid for twice.
TEST_CASE("an answer that came too late is had again, and paid once") {
  Fixture f(1);
  const ChannelId id = f.open(kCredit);
  f.connect(-1'900ms);
  f.held_back = true;
  auto request = primes_in(id);
  request.timeout_ms = 2'000;
  const auto late = f.session->run(request);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().kind == task::TaskErrorKind::disconnected);
  const auto unanswered = late.error().unanswered;
  REQUIRE(unanswered != nullptr);
  f.held_back = false;
  auto reply = f.session->resume(*unanswered);
  for (int i = 0; i < 100 && !reply.ok(); ++i) reply = f.session->resume(*unanswered);
  if (!reply.ok()) FAIL(reply.error().message);
  REQUIRE(f.session->pay(*reply).ok());
  REQUIRE(f.session->pay(*reply).ok());
  const auto again = f.session->resume(*unanswered);
  REQUIRE(again.ok());
  CHECK(again->receipt == reply->receipt);
  REQUIRE(f.session->pay(*again).ok());
  f.session.reset();
  f.connect();
  f.work(id, 1);
  REQUIRE(f.requester->close(id, 20s).ok());
  CHECK(f.chain.closed()->state.receipts_count == 2);
  CHECK(f.chain.closed()->state.balance_b == Balance(1 + 6));
}

// Fails when results are in memory alone: the receipt counts as unpaid, nobody can have it again,
// and with credit for one task no later one starts.
TEST_CASE("a worker that ended while a receipt was on its way is asked for it again") {
  Fixture f(1);
  const ChannelId id = f.open(kCredit);
  tests::Relay relay(f.service->port(), tests::RelayQuality{});
  f.connect(relay.port(), 600s);
  f.earner->before_receipt = [&] { relay.cut(); };
  const auto lost = f.session->run_unpaid(primes_in(id));
  REQUIRE_FALSE(lost.ok());
  const auto unanswered = lost.error().unanswered;
  REQUIRE(unanswered != nullptr);
  f.session.reset();
  f.stop_worker();
  f.start_worker();
  f.connect();
  const auto reply = f.session->resume(*unanswered);
  if (!reply.ok()) FAIL(reply.error().message);
  CHECK(f.runs == 1);
  REQUIRE(f.session->pay(*reply).ok());
  f.work(id, 1);
  REQUIRE(f.requester->close(id, 20s).ok());
  CHECK(f.chain.closed()->state.receipts_count == 2);
  CHECK(f.chain.closed()->state.balance_b == Balance(1 + 6));
}

// A requester behind a relay that can be cut, and is whole again when the loss was noticed.
struct Steady {
  Steady(Fixture& fixture, std::function<void()> on_lost)
      : relay(fixture.service->port(), tests::RelayQuality{}) {
    task::SteadyConfig config{.session = {.endpoint = "127.0.0.1:" + std::to_string(relay.port()),
                                          .worker = kWorker.account(),
                                          .key = kRequester,
                                          .genesis_hash = fixture.chain.chain.genesis_hash()}};
    config.pause = 1ms;
    config.on_lost = [this, on_lost = std::move(on_lost)](const std::string&) {
      ++lost;
      relay.heal();
      on_lost();
    };
    auto connected = task::SteadySession::connect(config, *fixture.requester);
    if (!connected) FAIL(connected.error().message);
    session = *std::move(connected);
  }
  void buy(const ChannelId& id) {
    const auto reply = session->run_unpaid(primes_in(id));
    if (!reply) FAIL(reply.error().message);
    REQUIRE(session->pay(*reply).ok());
  }
  tests::Relay relay;
  std::atomic<int> lost{0};
  std::unique_ptr<task::SteadySession> session;
};

// The worker has done it and counts it as owed: it is not done again, and what it is owed is paid.
TEST_CASE("a connection that breaks while a receipt is on its way costs one task, done once") {
  Fixture f;
  const ChannelId id = f.open(kCredit);
  std::promise<void> noticed;
  Steady steady(f, [&] { noticed.set_value(); });
  steady.buy(id);
  f.earner->before_receipt = [&] {
    steady.relay.cut();
    noticed.get_future().wait_for(20s);
  };
  steady.buy(id);
  CHECK(steady.lost == 1);
  CHECK(f.runs == 2);
  steady.buy(id);
  REQUIRE(f.requester->close(id, 20s).ok());
  CHECK(f.chain.closed()->state.receipts_count == 3);
  CHECK(f.chain.closed()->state.balance_b == Balance(3));
}

// Done or not when the line broke: it is paid for one answer.
TEST_CASE("a connection that breaks in the middle of a task comes back, and it is paid once") {
  Fixture f;
  const ChannelId id = f.open(kCredit);
  Steady steady(f, [&] { f.held_back = false; });
  f.held_back = true;
  std::thread cutter([&] {
    f.runs.wait(0);
    steady.relay.cut();
  });
  steady.buy(id);
  cutter.join();
  CHECK(steady.lost == 1);
  steady.buy(id);
  REQUIRE(f.requester->close(id, 20s).ok());
  CHECK(f.chain.closed()->state.receipts_count == 2);
  CHECK(f.chain.closed()->state.balance_b == Balance(2));
}

TEST_CASE("an exhausted channel refuses the next task and still closes") {
  Fixture f;
  const ChannelId id = f.open(Balance(20));
  f.connect();
  f.work(id, 3);
  const auto refused = f.session->run({.type = task::TaskType::prime_calculation,
                                       .channel_id = id,
                                       .spec = encode(task::PrimeSpec{0, 10'000'000}),
                                       .input = {},
                                       .max_price = kCredit});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "exhausted");
  CHECK(f.requester->close(id, 20s).ok());
}

TEST_CASE("a spot check finds a worker that lies, and is chosen as often as asked") {
  Fixture f;
  const ChannelId id = f.open(kCredit);
  f.connect();
  const task::DoAgain again = [](task::TaskType type, ByteView spec,
                                 ByteView input) -> Result<Hash, Error> {
    const auto result = executors::execute(type, spec, input);
    if (!result) return fail_with(result.error().message);
    return result->hash;
  };
  const Secret seed = Secret::generate();
  const task::SpotChecker every(seed, {1'000'000, again});
  const task::SpotChecker none(seed, {0, again});
  const auto request = primes_in(id);
  const auto honest = f.session->run(request);
  REQUIRE(honest.ok());
  const auto good = every.check(request, *honest);
  REQUIRE((good.ok() && good->has_value()));
  CHECK((*good)->agrees);
  CHECK(vrf_verify(vrf_public(seed), task::choice_bytes(honest->receipt.receipt), (*good)->proof));
  CHECK_FALSE(none.check(request, *honest)->has_value());
  f.lies_left = 1;
  const auto lie = f.session->run_unpaid(request);
  REQUIRE(lie.ok());
  CHECK_FALSE((*every.check(request, *lie))->agrees);

  const task::SpotChecker tenth(seed, {100'000, again});
  int chosen = 0;
  for (std::uint64_t task_id = 0; task_id < 1'000; ++task_id) {
    chosen += tenth.chosen({.task_id = task_id});
  }
  CHECK(chosen > 60);
  CHECK(chosen < 140);
}

// One worker asked three times stands for three workers; the first answer is a lie.
TEST_CASE("of three answers the two that agree are paid") {
  Fixture f(3);
  const ChannelId id = f.open(kCredit);
  f.connect();
  const task::Candidate candidate{f.session.get(), id};
  f.lies_left = 1;
  const auto agreed = task::run_redundant({candidate, candidate, candidate}, primes_in(id));
  if (!agreed) FAIL(agreed.error().message);
  CHECK(agreed->agreed == std::vector<std::size_t>{1, 2});
  CHECK(agreed->differed == std::vector<std::size_t>{0});
  CHECK(decode<task::PrimeOutput>(agreed->reply.output)->count == 168);
  REQUIRE(f.requester->close(id, 20s).ok());
  CHECK(f.chain.closed()->state.receipts_count == 2);
}

}  // namespace
}  // namespace tally::worker
