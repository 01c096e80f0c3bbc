#include "worker/service/task_service.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "client-sdk/task/image.hpp"
#include "client-sdk/task/session.hpp"
#include "client-sdk/task/wasm_chain.hpp"
#include "primitives/crypto/hash.hpp"
#include "worker/sandbox/pool.hpp"
#include "worker/wasm/wat_test.hpp"

namespace tally::worker {
namespace {

using namespace std::chrono_literals;
using task::SignedReceipt;
using task::TaskErrorKind;
using task::TaskRequest;
using task::TaskType;

const Hash kGenesis = *Hash::from(Bytes(32, 9));
const ChannelId kChannel = *ChannelId::from(Bytes(32, 5));

// A channel party's stand-in: a payment is a message with its amount, believed.
class FakeEarner final : public task::EarnerPort {
 public:
  void peer_connected(const AccountId&, std::uint64_t, task::SendChannelMessage) override {}
  void peer_gone(const AccountId&, std::uint64_t) override {}
  Result<void, Error> peer_message(const AccountId&, ByteView message) override {
    const auto amount = decode<Balance>(message);
    if (!amount) return fail_with("not a payment");
    std::unique_lock lock(mutex_);
    received_ = *checked_add(received_, *amount);
    ++payments;
    const auto callback = callback_;
    const Balance received = received_;
    lock.unlock();
    if (callback) callback(kChannel, received);
    return {};
  }
  Result<task::EarnerStanding, Error> standing(const ChannelId& channel,
                                               const AccountId&) override {
    if (channel != kChannel) return fail_with("no such channel");
    const std::lock_guard lock(mutex_);
    return task::EarnerStanding{received_, earned_, *checked_sub(funds, received_)};
  }
  Result<void, Error> issued(const SignedReceipt& receipt) override {
    const std::lock_guard lock(mutex_);
    earned_ = *checked_add(earned_, receipt.receipt.price);
    ++receipts;
    return {};
  }
  void on_paid(std::function<void(const ChannelId&, Balance)> callback) override {
    const std::lock_guard lock(mutex_);
    callback_ = std::move(callback);
  }

  Balance funds = kCredit;
  std::atomic<int> receipts{0};
  std::atomic<int> payments{0};

 private:
  std::mutex mutex_;
  Balance received_;
  Balance earned_;
  std::function<void(const ChannelId&, Balance)> callback_;
};

class FakePayer final : public task::PayerPort {
 public:
  void peer_connected(const AccountId&, std::uint64_t, task::SendChannelMessage send) override {
    send_ = std::move(send);
  }
  void peer_gone(const AccountId&, std::uint64_t) override {}
  Result<void, Error> peer_message(const AccountId&, ByteView) override { return {}; }
  Result<void, Error> pay(const SignedReceipt& receipt) override {
    send_(encode(receipt.receipt.price));
    return {};
  }
  Result<void, Error> pay_ahead(const ChannelId&, Balance price) override {
    send_(encode(price));
    return {};
  }

 private:
  task::SendChannelMessage send_;
};

struct Fixture {
  explicit Fixture(std::uint32_t credit_window = 1) {
    folder = std::filesystem::temp_directory_path() /
             ("tally-service-test-" + std::to_string(getpid()) + "-" + to_hex(worker.account()));
    letters = std::make_unique<DeadLetters>(*DeadLetters::open(folder));
    pool = *sandbox::Pool::start({.command = {TALLY_BINARY_DIR "/tests/tally_plain_executor",
                                              "--executor", to_decimal(256 << 20)},
                                  .slots = 2,
                                  .spare = 1});
    config.credit_window = credit_window;
    start();
  }
  ~Fixture() {
    service.reset();
    std::filesystem::remove_all(folder);
  }

  void start() {
    task::WorkerOffer offer{.environment = task::executor_environment(),
                            .window = 64,
                            .credit_window = config.credit_window,
                            .max_timeout_ms = 60'000,
                            .max_input_bytes = 32 << 20,
                            .max_output_bytes = 10 << 20};
    for (const auto& price : task::reference_prices()) REQUIRE(offer.prices.push_back(price));
    auto started = TaskService::start(
        {.listen = "127.0.0.1:0",
         .key = worker,
         .seal_secret = Secret::generate(),
         .genesis_hash = kGenesis,
         .offer = offer,
         .threads = 2,
         .handshake_patience = config.handshake_patience},
        {.earner = earner,
         .dead_letters = *letters,
         .run =
             [this](const TaskJob& job) {
               if (finish_after_leave) return run_until_left(job);
               return pool->run(
                   job.requester,
                   {.id = job.id, .type = job.type, .spec = job.spec, .input = job.input},
                   {.wall = job.timeout}, job.cancelled);
             },
         .log = [](LogLevel, const std::string&) {}});
    if (!started) FAIL(started.error().message);
    service = *std::move(started);
  }

  // Done just when its requester leaves.
  executors::TaskResult run_until_left(const TaskJob& job) {
    std::atomic<bool> never{false};
    auto done = pool->run(job.requester,
                          {.id = job.id, .type = job.type, .spec = job.spec, .input = job.input},
                          {.wall = job.timeout}, never);
    running = true;
    while (!job.cancelled) std::this_thread::yield();
    return done;
  }

  task::SessionConfig session_config() const {
    return {.endpoint = "127.0.0.1:" + std::to_string(service->port()),
            .worker = worker.account(),
            .key = requester,
            .genesis_hash = kGenesis};
  }
  std::unique_ptr<task::Session> connect() {
    auto session = task::Session::connect(session_config(), payer);
    if (!session) FAIL(session.error().message);
    return *std::move(session);
  }

  struct {
    std::uint32_t credit_window = 1;
    std::chrono::milliseconds handshake_patience{10'000};
  } config;
  KeyPair worker = KeyPair::generate(KeyScheme::ecdsa);
  KeyPair requester = KeyPair::generate(KeyScheme::ed25519);
  std::filesystem::path folder;
  std::unique_ptr<DeadLetters> letters;
  std::unique_ptr<sandbox::Pool> pool;
  FakeEarner earner;
  FakePayer payer;
  std::atomic<bool> finish_after_leave{false};
  std::atomic<bool> running{false};
  std::unique_ptr<TaskService> service;
};

TaskRequest primes(std::uint64_t lo, std::uint64_t hi) {
  return {.type = TaskType::prime_calculation,
          .channel_id = kChannel,
          .spec = encode(task::PrimeSpec{lo, hi}),
          .input = {},
          .max_price = kCredit};
}

TEST_CASE("tasks of every type are done, receipted and paid over the stream") {
  Fixture f;
  const auto session = f.connect();
  const auto primes_reply = session->run(primes(0, 10'000'000));
  REQUIRE(primes_reply.ok());
  CHECK(decode<task::PrimeOutput>(primes_reply->output)->count == 664'579);
  CHECK(primes_reply->receipt.receipt.price == Balance(6));  // 5.55… µCC, rounded up

  const Bytes vectors(4'000 * 32, 3);
  const Bytes query(32, 3);
  TaskRequest search{.type = TaskType::vector_search,
                     .channel_id = kChannel,
                     .spec = encode(task::VectorSearchSpec{{}, 32, 4'000, 1, 2}),
                     .input = {{vectors, true}, {query, false}},
                     .max_price = kCredit};
  for (int i = 0; i < 3; ++i) {
    const auto found = session->run(search);
    REQUIRE(found.ok());
    const auto matches = decode<task::VectorSearchOutput>(found->output);
    CHECK(matches->matches[0] == task::VectorMatch{0, 9 * 32});
    CHECK(matches->matches[1] == task::VectorMatch{1, 9 * 32});
  }

  const auto file = task::encode_image(
      {.width = 64, .height = 64, .channels = 3, .pixels = Bytes(64 * 64 * 3, 77)},
      {task::ImageFormat::jpeg, 90});
  REQUIRE(file.ok());
  const task::ImageResizeSpec spec{
      task::ImageFormat::jpeg, 64, 64, task::ImageFormat::png, 20, 10, 0};
  const auto image = session->run({.type = TaskType::image_resize,
                                   .channel_id = kChannel,
                                   .spec = encode(spec),
                                   .input = {{*file, false}},
                                   .max_price = kCredit});
  REQUIRE(image.ok());
  CHECK(task::image_info(image->output)->width == 20);
  CHECK(f.earner.receipts == 5);
  CHECK(f.service->counters().tasks_done == 5);
}

TEST_CASE("several threads share a session, and a channel's credit makes tasks wait, not fail") {
  Fixture f(1);
  const auto session = f.connect();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) good += session->run(primes(0, 1'000)).ok();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 20);
}

// With may_start always true (tried by hand) the second task is done and this fails.
TEST_CASE("a worker does no second task for a requester that does not pay") {
  Fixture f(1);
  const auto session = f.connect();
  const auto first = session->run_unpaid(primes(0, 100));
  REQUIRE(first.ok());
  std::atomic<bool> done{false};
  std::thread second([&] { done = session->run_unpaid(primes(0, 100)).ok(); });
  // The refusal of a third task proves that the second was accepted and is waiting: frames are
  // answered in order.
  while (true) {
    auto request = primes(0, 100);
    request.channel_id = ChannelId{};
    REQUIRE_FALSE(session->run_unpaid(request).ok());
    if (f.earner.receipts == 1) break;
  }
  CHECK_FALSE(done);
  REQUIRE(f.payer.pay(first->receipt).ok());
  second.join();
  CHECK(done);
  CHECK(f.earner.receipts == 2);
}

// It can pay only for a receipt that it has seen; a lost one would stop the channel for ever.
TEST_CASE("a requester that left before its receipt came owes nothing for it") {
  Fixture f(1);
  f.finish_after_leave = true;
  {
    const auto session = f.connect();
    bool answered = true;
    std::thread task([&] { answered = session->run_unpaid(primes(0, 100)).ok(); });
    while (!f.running) std::this_thread::yield();
    session->close();
    task.join();
    CHECK_FALSE(answered);
  }
  f.finish_after_leave = false;
  const auto session = f.connect();
  CHECK(session->run(primes(0, 100)).ok());
}

// Fails when the worker forgets what it could not deliver.
TEST_CASE("a result that its requester missed is had on the next connection, and paid then") {
  Fixture f(1);
  f.finish_after_leave = true;
  std::shared_ptr<const task::Unanswered> missed;
  {
    const auto session = f.connect();
    std::thread task([&] {
      const auto reply = session->run_unpaid(primes(0, 100));
      if (!reply.ok()) missed = reply.error().unanswered;
    });
    while (!f.running) std::this_thread::yield();
    session->close();
    task.join();
  }
  REQUIRE(missed != nullptr);
  f.finish_after_leave = false;
  const auto session = f.connect();
  Result<task::TaskReply, task::TaskError> reply = session->resume(*missed);
  // The worker may still be putting it away.
  while (!reply.ok() && reply.error().code == "unknown_task") reply = session->resume(*missed);
  if (!reply.ok()) FAIL(reply.error().message);
  CHECK(decode<task::PrimeOutput>(reply->output)->count == 25);
  CHECK(f.earner.receipts == 1);
  REQUIRE(session->pay(*reply).ok());
  CHECK(session->run(primes(0, 100)).ok());
  // Nobody else gets it, and what never was is not known.
  const KeyPair other = KeyPair::generate(KeyScheme::ed25519);
  auto config = f.session_config();
  config.key = other;
  const auto stranger = task::Session::connect(config, f.payer);
  REQUIRE(stranger.ok());
  const auto stolen = (*stranger)->resume(*missed);
  REQUIRE_FALSE(stolen.ok());
  CHECK(stolen.error().code == "unknown_task");
}

TEST_CASE("an exhausted channel is refused with both numbers") {
  Fixture f;
  f.earner.funds = Balance(100);
  const auto session = f.connect();
  auto request = primes(0, 1'000'000'000);
  request.max_price = kCredit;
  const auto refused = session->run(request);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == TaskErrorKind::refused);
  CHECK(refused.error().code == "exhausted");
  CHECK(refused.error().expected == "556");
  CHECK(refused.error().got == "100");
}

TEST_CASE("a task above the requester's price, of a bad spec or for another channel is refused") {
  Fixture f;
  const auto session = f.connect();
  auto request = primes(0, 1'000'000'000);
  request.max_price = Balance(10);
  CHECK(session->run(request).error().code == "price");
  CHECK(session->run(primes(2, 1)).error().code == "bad_spec");
  request = primes(0, 10);
  request.channel_id = ChannelId{};
  CHECK(session->run(request).error().code == "channel");
  request = primes(0, 10);
  request.timeout_ms = 600'000;
  CHECK(session->run(request).error().code == "timeout");
  CHECK(session->run(primes(0, 10)).ok());
}

TEST_CASE("a task that fails costs nothing and becomes a dead letter") {
  Fixture f;
  const auto session = f.connect();
  const Bytes junk(100, 0xff);
  const task::ImageResizeSpec spec{task::ImageFormat::png, 8, 8, task::ImageFormat::png, 4, 4, 0};
  const TaskRequest request{.type = TaskType::image_resize,
                            .channel_id = kChannel,
                            .spec = encode(spec),
                            .input = {{junk, false}},
                            .max_price = kCredit};
  const auto failed = session->run(request);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().kind == TaskErrorKind::failed);
  CHECK(failed.error().code == "bad_input");
  auto endless = primes(task::kMaxPrimeBound - task::kMaxPrimeRange, task::kMaxPrimeBound);
  endless.timeout_ms = 50;
  CHECK(session->run(endless).error().code == "wall_time");
  CHECK(f.earner.receipts == 0);
  const auto names = f.letters->names();
  REQUIRE(names->size() == 2);
  CHECK(f.letters->read((*names)[0])->input == junk);
  CHECK(session->run(primes(0, 10)).ok());
}

TEST_CASE("who answers must be the worker that was named, on the same chain") {
  Fixture f;
  auto config = f.session_config();
  config.worker = f.requester.account();
  const auto other = task::Session::connect(config, f.payer);
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().message.find("expected the worker") != std::string::npos);
  config = f.session_config();
  config.genesis_hash = Hash{};
  const auto elsewhere = task::Session::connect(config, f.payer);
  REQUIRE_FALSE(elsewhere.ok());
  CHECK(elsewhere.error().message.find("genesis") != std::string::npos);
  config = f.session_config();
  config.endpoint = "127.0.0.1:1";
  config.connect_deadline = 300ms;
  CHECK_FALSE(task::Session::connect(config, f.payer).ok());
}

TEST_CASE("a worker that stops tells its requesters, and the next one goes on") {
  Fixture f;
  const auto session = f.connect();
  std::optional<task::TaskError> error;
  std::thread waiting([&] {
    auto request = primes(0, task::kMaxPrimeRange);
    const auto reply = session->run(request);
    if (!reply) error = reply.error();
  });
  while (f.service->counters().connections == 0) std::this_thread::yield();
  f.service.reset();
  waiting.join();
  REQUIRE(error);
  CHECK_FALSE(error->message.empty());
  session->close();
  f.start();
  CHECK(f.connect()->run(primes(0, 10)).ok());
}

TEST_CASE("garbage on the port does not disturb the worker") {
  Fixture f;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(f.service->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  const Bytes garbage(10'000, 0x5a);
  (void)!write(fd, garbage.data(), garbage.size());
  CHECK(f.connect()->run(primes(0, 10)).ok());
  close(fd);
}

// A task of this guest, and what must be kept while it runs.
struct GuestTask {
  Bytes module;
  Bytes rest;
  task::WasmSpec spec;

  TaskRequest request() const {
    return {.type = TaskType::custom_wasm,
            .channel_id = kChannel,
            .spec = encode(spec),
            .input = {{module, true}, {rest, false}},
            .max_price = kCredit};
  }
};
GuestTask guest_task(Bytes module) {
  GuestTask out{.module = std::move(module), .rest = {}, .spec = {}};
  out.spec = {.module_hash = blake2_256(out.module),
              .module_bytes = static_cast<std::uint32_t>(out.module.size()),
              .begin = task::WasmBegin::start,
              .fuel = 1'000'000,
              .step_fuel = 1'000'000,
              .steps = 1};
  return out;
}

// Counts to three, a step at a time.
Bytes counting_module() {
  wasm::Guest guest;
  guest.step =
      "i32.const 0 i32.const 0 i32.load i32.const 1 i32.add i32.store i32.const 0 i32.load "
      "i32.const 3 i32.eq";
  return guest.bytes();
}

TEST_CASE(
    "segments of custom_wasm are paid for the fuel that they used, below what was agreed on") {
  Fixture f;
  const auto session = f.connect();
  auto chain = *task::begin_chain(counting_module(), {});
  const auto rate = task::reference_price(TaskType::custom_wasm);
  for (std::uint64_t step = 1; step <= 3; ++step) {
    const task::WasmSpec spec = task::segment(chain, {.steps = 1});
    const GuestTask guest{chain.state.module, chain.state.rest, spec};
    const auto reply = session->run(guest.request());
    REQUIRE(reply.ok());
    const task::Receipt& receipt = reply->receipt.receipt;
    const std::size_t input = guest.module.size() + guest.rest.size();
    CHECK(receipt.metered_units < task::max_fuel(spec, input));
    CHECK(receipt.price == *task::price_of(rate, receipt.metered_units, task::Priority::normal));
    const auto output = task::advance(chain, spec, reply->output, receipt.price);
    REQUIRE(output.ok());
    CHECK(receipt.metered_units == output->fuel);
    CHECK(chain.state.steps == step);
  }
  CHECK(chain.result == Bytes{3, 0, 0, 0});
  CHECK(f.earner.receipts == 3);
}

TEST_CASE(
    "a prepaid custom_wasm task may cost less than was paid ahead, and the next one uses it") {
  Fixture f(0);
  const auto session = f.connect();
  auto task = guest_task(counting_module());
  task.spec.steps = 9;
  for (int i = 0; i < 3; ++i) {
    const auto reply = session->run(task.request());
    REQUIRE(reply.ok());
    CHECK(reply->receipt.receipt.price == Balance(1));
  }
}

TEST_CASE("guests that do harm fail clearly, cost nothing, and the worker goes on") {
  Fixture f;
  const auto session = f.connect();
  const auto stepping = [](const std::string& step) {
    wasm::Guest guest;
    guest.step = step;
    return guest.bytes();
  };
  const auto code_of = [&](const GuestTask& task) {
    const auto reply = session->run(task.request());
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == TaskErrorKind::failed);
    CHECK_FALSE(reply.error().message.empty());
    return reply.error().code;
  };
  CHECK(code_of(guest_task(stepping("(loop br 0) i32.const 0"))) == "out_of_fuel");
  CHECK(code_of(guest_task(stepping("(loop i32.const 1 memory.grow drop br 0) i32.const 0"))) ==
        "out_of_fuel");
  CHECK(code_of(guest_task(stepping("unreachable"))) == "trapped");
  CHECK(code_of(guest_task(to_bytes(as_bytes("#!/bin/sh, and more")))) == "bad_module");
  CHECK(code_of(guest_task(wasm::wat("(module (import \"env\" \"system\" (func)))"))) ==
        "bad_module");
  CHECK(code_of(guest_task(stepping("f64.const 1 drop i32.const 0"))) == "bad_module");
  // With fuel for minutes it is the task's own time that ends it.
  auto endless = guest_task(stepping("(loop br 0) i32.const 0"));
  endless.spec.step_fuel = 20'000'000'000;
  auto request = endless.request();
  request.timeout_ms = 300;
  CHECK(session->run(request).error().code == "wall_time");
  // One that is too large is not even sent.
  const auto large = guest_task(Bytes(task::kMaxWasmModule + 1));
  CHECK(session->run(large.request()).error().code == "bad_spec");

  CHECK(f.earner.receipts == 0);
  CHECK(session->run(guest_task(counting_module()).request()).ok());
  CHECK(session->run(primes(0, 100)).ok());
}

}  // namespace
}  // namespace tally::worker
