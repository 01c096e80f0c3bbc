// Every check that stands between a receipt file and a bond, on a chain that holds what the test
// says. Each was shown to fail by leaving it out of plan_dispute().
#include <catch2/catch.hpp>

#include "client-sdk/dispute/open.hpp"
#include "modules/channels/signing.hpp"
#include "modules/channels/storage.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/system/storage.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"

namespace tally::dispute {
namespace {

namespace fs = std::filesystem;
using testing::FakeChain;

const KeyPair kRequester = dev_key(KeyScheme::ecdsa, "Alice");
const KeyPair kWorker = dev_key(KeyScheme::ecdsa, "Bob");
const KeyPair kOther = dev_key(KeyScheme::ecdsa, "Charlie");
constexpr TimestampMs kNow{1'000'000'000};
constexpr std::uint64_t kHour = 3'600'000;

Balance credits_of(std::uint64_t n) {
  return Balance(n * kCredit.micro);
}

template <class Item, class Value, class... Keys>
void put(FakeChain::Changes& changes, const Item& item, const Value& value, const Keys&... keys) {
  changes[to_bytes(item.key(keys...))] = encode(typename Item::Value(value));
}

workers::Worker worker_with(Balance bonded) {
  workers::Worker out{.registered = true, .bonded = bonded};
  REQUIRE(out.offers.push_back(
      {.type = task::TaskType::prime_calculation, .environment = task::executor_environment()}));
  return out;
}

struct Fixture {
  fs::path folder = fs::temp_directory_path() / ("tally-open-" + std::to_string(getpid()));
  FakeChain chain;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<client::ChainClient> client;
  std::optional<ReceiptFolder> receipts;
  std::vector<AccountId> pool;

  Fixture() {
    fs::remove_all(folder);
    receipts.emplace(*ReceiptFolder::open(folder));
    rpc::ServerConfig config;
    config.listen = "127.0.0.1:0";
    server = *rpc::Server::start(config, chain);
    FakeChain::Changes changes;
    put(changes, disputes::kConfig, disputes::main_config());
    put(changes, workers::kConfig, workers::main_config());
    put(changes, system::kChainTime, kNow);
    put(changes, system::kHeaderTime, kNow);
    put(changes, channels::kCounter, std::uint64_t{40}, kRequester.account());
    set_free(changes, kRequester, credits_of(100));
    set_free(changes, kOther, credits_of(100));
    put(changes, workers::kWorkers, worker_with(credits_of(150)), kWorker.account());
    pool.push_back(kWorker.account());
    for (std::uint8_t i = 0; i < 7; ++i) {
      pool.push_back(AccountId(*AccountId::from(blake2_256(Bytes{i}))));
      put(changes, workers::kWorkers, worker_with(credits_of(150)), pool.back());
    }
    set_pool(changes, 8);
    chain.add_block(changes);
    auto connected = client::ChainClient::connect(
        {"127.0.0.1:" + std::to_string(server->port()), 10'000, 20'000},
        {chain.genesis_hash(), chain.genesis_state_root(), chain.epoch_blocks(),
         chain.validators()});
    if (!connected) FAIL(connected.error().message);
    client = *std::move(connected);
  }
  ~Fixture() { fs::remove_all(folder); }

  static void set_free(FakeChain::Changes& changes, const KeyPair& key, Balance amount) {
    system::AccountInfo info;
    info.data.free = amount;
    put(changes, system::kAccount, info, key.account());
  }
  void set_pool(FakeChain::Changes& changes, std::size_t size) const {
    std::vector<AccountId> accounts(pool.begin(), pool.begin() + static_cast<long>(size));
    std::sort(accounts.begin(), accounts.end());
    put(changes, workers::kPools, *BoundedVec<AccountId, workers::kMaxPool>::from(accounts),
        workers::PoolId{task::TaskType::prime_calculation, task::executor_environment()});
  }

  // A good receipt; a test changes one thing.
  task::Receipt receipt() const {
    return {.genesis_hash = chain.genesis_hash(),
            .worker = kWorker.account(),
            .requester = kRequester.account(),
            .channel_id = channels::channel_id_of({chain.genesis_hash(), kRequester.account(),
                                                   kWorker.account(), 39, DurationMs(7'000)}),
            .type = task::TaskType::prime_calculation,
            .environment = task::executor_environment(),
            .spec_hash = blake2_256(encode(task::PrimeSpec{0, 100})),
            .input_hash = blake2_256({}),
            .price = Balance(6),
            .metered_units = 100,
            .started_ms = TimestampMs(kNow.value - kHour),
            .finished_ms = TimestampMs(kNow.value - kHour)};
  }
  fs::path keep(const task::Receipt& body, ByteView input = {},
                DurationMs period = DurationMs(7'000)) const {
    const Bytes spec = encode(task::PrimeSpec{0, 100});
    const auto path = receipts->keep({.receipt = task::sign_receipt(kWorker, body),
                                      .spec = spec,
                                      .input = input,
                                      .agreed_price = Balance(6),
                                      .endpoint = {},
                                      .challenge_period = period,
                                      .kept_at = kNow});
    REQUIRE(path.ok());
    return *path;
  }
  std::string code_of(const DisputeRequest& request, const KeyPair& who = kRequester) const {
    const auto plan = plan_dispute(*client, who.account(), request);
    return plan ? "" : plan.error().code;
  }
  std::string code_of(const task::Receipt& body) const {
    return code_of(DisputeRequest{.receipt_file = keep(body), .reason = ""});
  }
  void change(const FakeChain::Changes& changes) { chain.add_block(changes); }
};

TEST_CASE("a good receipt becomes a plan that says what is at stake") {
  Fixture f;
  const auto plan =
      plan_dispute(*f.client, kRequester.account(), {f.keep(f.receipt()), "wrong count"});
  if (!plan) FAIL(plan.error().message);
  CHECK(plan->challenge.channel == disputes::ChannelOrigin{false, 39, DurationMs(7'000)});
  CHECK(plan->challenge.reason == "wrong count");
  CHECK(plan->at_stake.stakes.bond == credits_of(18));
  CHECK(plan->at_stake.worker_covers == credits_of(18));
  CHECK(plan->at_stake.left == DurationMs(23 * kHour));
  CHECK(plan->at_stake.drawable == 7);
  // It was not checked here.
  CHECK(plan->warnings.size() == 1);
}

TEST_CASE("what the receipt itself shows to be wrong") {
  Fixture f;
  task::Receipt body = f.receipt();
  body.genesis_hash = Hash{};
  CHECK(f.code_of(body) == "other_chain");
  body = f.receipt();
  body.price = Balance(7);
  CHECK(f.code_of(body) == "price");
  body = f.receipt();
  body.channel_id = ChannelId{};
  CHECK(f.code_of(body) == "channel");
  body = f.receipt();
  body.finished_ms = TimestampMs(kNow.value - 24 * kHour - 1);
  CHECK(f.code_of(body) == "too_old");
  body.finished_ms = TimestampMs(kNow.value - 24 * kHour);
  CHECK(f.code_of(body).empty());
  body.finished_ms = TimestampMs(kNow.value + kHour);
  CHECK(f.code_of(body) == "too_old");
  CHECK(f.code_of(DisputeRequest{f.folder / "none.receipt", ""}) == "file");
  CHECK(f.code_of(DisputeRequest{f.keep(f.receipt()), std::string(257, 'a')}) == "too_large");
}

TEST_CASE("the channel is found without its period if it is the default or still open") {
  Fixture f;
  task::Receipt body = f.receipt();
  const fs::path path = f.keep(body, {}, DurationMs(0));
  CHECK(f.code_of(DisputeRequest{path, ""}) == "channel");
  FakeChain::Changes changes;
  put(changes, channels::kChannels,
      channels::Channel{.opener = kRequester.account(),
                        .counterparty = kWorker.account(),
                        .challenge_period = DurationMs(7'000)},
      body.channel_id);
  f.change(changes);
  CHECK(f.code_of(DisputeRequest{path, ""}).empty());
}

TEST_CASE("only the requester, or the bearer of its mandate, may dispute") {
  Fixture f;
  const fs::path path = f.keep(f.receipt());
  const Hash genesis = f.chain.genesis_hash();
  CHECK(f.code_of(DisputeRequest{path, ""}, kWorker) == "not_entitled");
  CHECK(f.code_of(DisputeRequest{path, ""}, kOther) == "not_entitled");
  const task::Mandate good{.receipt_hash = task::receipt_hash(f.receipt()),
                           .requester = kRequester.account(),
                           .bearer = kOther.account(),
                           .valid_until = kNow};
  const auto with = [&](const task::Mandate& mandate, const KeyPair& signer) {
    return f.code_of(DisputeRequest{path, "", {}, task::sign_mandate(signer, genesis, mandate)},
                     kOther);
  };
  CHECK(with(good, kRequester).empty());
  CHECK(with(good, kOther) == "not_entitled");
  task::Mandate bad = good;
  bad.valid_until = TimestampMs(kNow.value - 1);
  CHECK(with(bad, kRequester) == "not_entitled");
  bad = good;
  bad.receipt_hash = Hash{};
  CHECK(with(bad, kRequester) == "not_entitled");
  bad = good;
  bad.bearer = kWorker.account();
  CHECK(with(bad, kRequester) == "not_entitled");
  // Not even with a mandate.
  CHECK(f.code_of(DisputeRequest{path, "", {}, task::sign_mandate(kRequester, genesis, bad)},
                  kWorker) == "not_entitled");
}

TEST_CASE("what the chain has to say: history, worker, pool, funds") {
  Fixture f;
  const task::Receipt body = f.receipt();
  const DisputeRequest request{f.keep(body), ""};
  const auto with = [&](auto&& alter) {
    FakeChain::Changes changes;
    alter(changes);
    f.change(changes);
    return f.code_of(request);
  };
  const auto history = [&](disputes::DisputedReceipt known) {
    return with([&](auto& c) { put(c, disputes::kReceipts, known, task::receipt_hash(body)); });
  };
  CHECK(history({.running = true}) == "already_disputed");
  CHECK(history({.decided = true}) == "already_decided");
  disputes::DisputedReceipt tried;
  REQUIRE(tried.tried.push_back(kRequester.account()));
  CHECK(history(tried) == "already_tried");
  CHECK(history({}).empty());

  CHECK(with([&](auto& c) { f.set_pool(c, 7); }) == "pool_too_small");
  CHECK(with([&](auto& c) { f.set_pool(c, 8); }).empty());
  // A delegator of the worker is no verifier of its disputes.
  CHECK(with([&](auto& c) {
          put(c, workers::kDelegations, workers::Delegation{}, kWorker.account(), f.pool[3]);
        }) == "pool_too_small");
  CHECK(with([&](auto& c) {
          c[to_bytes(workers::kDelegations.key(kWorker.account(), f.pool[3]))] = std::nullopt;
          Fixture::set_free(c, kRequester, credits_of(18));
        }) == "funds");
  CHECK(with([&](auto& c) {
          Fixture::set_free(c, kRequester, credits_of(19));
          c[to_bytes(workers::kWorkers.key(kWorker.account()))] = std::nullopt;
          std::swap(f.pool[0], f.pool[7]);
          f.set_pool(c, 7);
        }) == "not_a_worker");
}

TEST_CASE("an input that does not fit a block must be served somewhere") {
  Fixture f;
  const Bytes input(disputes::kMaxInput + 1, 1);
  task::Receipt body = f.receipt();
  body.input_hash = blake2_256(input);
  const fs::path path = f.keep(body, input);
  CHECK(f.code_of(DisputeRequest{path, ""}) == "no_location");
  CHECK(f.code_of(DisputeRequest{path, "", {"unix:/tmp/x"}}) == "no_location");
  CHECK(f.code_of(DisputeRequest{path, "", {"a:1", "b:1", "c:1", "d:1", "e:1"}}) == "no_location");
  CHECK(f.code_of(DisputeRequest{path, "", {"a:1", "b:1", "c:1", "d:1"}}).empty());
}

TEST_CASE("a worker is refused whose stake does not cover a dispute about the task") {
  Fixture f;
  const TaskPlan plan{task::TaskType::prime_calculation, Balance(6), 100};
  const auto check = [&](const workers::Worker& worker) {
    FakeChain::Changes changes;
    put(changes, workers::kWorkers, worker, kWorker.account());
    f.change(changes);
    const auto done = check_worker(*f.client, kWorker.account(), kRequester.account(), plan);
    if (!done) FAIL(done.error().message);
    return *done;
  };
  workers::Worker worker = worker_with(credits_of(150));
  const WorkerCheck good = check(worker);
  CHECK(good.refusal.empty());
  CHECK_FALSE(good.tolerant_here);
  CHECK(good.drawable == 7);
  CHECK(good.audit_duty_ppm == 1'000'000);
  worker.frozen = credits_of(132);
  CHECK(check(worker).refusal.empty());
  worker.frozen = Balance(credits_of(132).micro + 1);
  CHECK(check(worker).refusal.find("not frozen") != std::string::npos);
  worker.frozen = {};
  worker.done = 50;
  CHECK(check(worker).audit_duty_ppm == 100'000);
  worker.done = 500;
  CHECK(check(worker).audit_duty_ppm == 0);
  worker.banned_until = TimestampMs(kNow.value + 1);
  CHECK(check(worker).refusal.find("banned") != std::string::npos);
  worker.banned_until = {};
  worker.offers = {};
  worker.registered = false;
  FakeChain::Changes changes;
  std::swap(f.pool[0], f.pool[7]);
  f.set_pool(changes, 7);
  f.change(changes);
  CHECK(check(worker).refusal.find("not registered") != std::string::npos);
  CHECK_FALSE(check_worker(*f.client, kOther.account(), kRequester.account(), plan).ok());
}

}  // namespace
}  // namespace tally::dispute
