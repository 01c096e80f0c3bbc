// A whole dispute on a real tallyd: seven registered verifiers with their drivers, a worker that
// lied, a requester with nothing but the receipt file; one verifier restarts in the middle.
#include <catch2/catch.hpp>
#include <iostream>

#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "client-sdk/chain/trust_root.hpp"
#include "client-sdk/content/server.hpp"
#include "client-sdk/dispute/follow.hpp"
#include "client-sdk/dispute/open.hpp"
#include "genesis/chain_spec.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"
#include "tests/support/process.hpp"
#include "worker/duty/driver.hpp"
#include "worker/duty/registration.hpp"

namespace tally::worker {
namespace {

using namespace std::chrono_literals;
using dispute::DisputeView;
using disputes::Outcome;
using disputes::SeatState;

constexpr std::size_t kVerifiers = 7;
// Not Alice: the validator gets a share of all fees.
const KeyPair kRequester = dev_key(KeyScheme::ecdsa, "Eve");
const KeyPair kLiar = dev_key(KeyScheme::ecdsa, "Bob");

TimestampMs clock_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return TimestampMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count()));
}

// A dev chain of one validator.
struct DevChain {
  tests::TempFolder folder;
  std::string endpoint;
  std::unique_ptr<tests::Process> node;
  genesis::ChainSpec spec = *genesis::preset("dev");
  client::TrustRoot root = client::trust_root(spec);

  DevChain() {
    const auto ports = tests::free_ports(3);
    endpoint = "127.0.0.1:" + std::to_string(ports[1]);
    node = std::make_unique<tests::Process>(
        std::vector<std::string>{std::string(TALLY_BINARY_DIR) + "/bin/tallyd", "--chain", "dev",
                                 "--validator", "//Alice", "--base-path",
                                 (folder.path() / "node").string(), "--port",
                                 std::to_string(ports[0]), "--rpc-port", std::to_string(ports[1]),
                                 "--metrics-port", std::to_string(ports[2]), "--bootnode", "none"},
        folder.path() / "node.log");
  }
  std::unique_ptr<client::ChainClient> client() {
    std::unique_ptr<client::ChainClient> out;
    tests::eventually(60s, [&] {
      auto made = client::ChainClient::connect({.endpoint = endpoint}, root);
      if (made) out = *std::move(made);
      return out != nullptr && out->finalized().ok();
    });
    INFO(node->log());
    REQUIRE(out != nullptr);
    return out;
  }
};

client::TxOutcome applied(client::ClientResult<client::TxOutcome> outcome) {
  if (!outcome) FAIL(outcome.error().message);
  if (outcome->failure) FAIL(runtime::to_text(*outcome->failure));
  return *outcome;
}

Registration registration(const KeyPair& key) {
  Registration out{.profile = {.endpoint = "127.0.0.1:9950",
                               .seal_key = seal_public(key.secret()),
                               .environment = task::executor_environment()},
                   .stake = Balance(150 * kCredit.micro)};
  for (const task::TaskPrice& price : task::reference_prices()) {
    REQUIRE(out.profile.offers.push_back({price.type, price.price, price.per_units, 0}));
  }
  return out;
}

// One registered worker with its duties.
struct Verifier {
  KeyPair key;
  std::filesystem::path folder;
  std::unique_ptr<client::ChainClient> chain;
  std::unique_ptr<client::Submitter> submitter;
  std::unique_ptr<Presence> presence;
  std::unique_ptr<DutyDriver> driver;

  Verifier(DevChain& dev, const KeyPair& who, const std::string& name)
      : key(who),
        folder(dev.folder.path() / name),
        chain(dev.client()),
        submitter(std::make_unique<client::Submitter>(key, *chain)) {
    const auto quiet = [](bool, const std::string&) {};
    auto started = Presence::start(registration(key), *submitter, quiet, {});
    if (!started) FAIL(started.error().message);
    presence = *std::move(started);
  }
  void start() {
    auto started = DutyDriver::start(
        {.folder = folder},
        {.submitter = *submitter,
         .run = [](const DutyRun& run,
                   const auto&) { return executors::execute(run.type, run.spec, run.input); },
         .tell =
             [name = folder.filename().string()](bool warning, const std::string& text) {
               if (warning) std::cerr << name << ": " << text << "\n";
             }});
    if (!started) FAIL(started.error().message);
    driver = *std::move(started);
  }
};

struct Network {
  DevChain dev;
  std::unique_ptr<client::ChainClient> chain = dev.client();
  std::vector<std::unique_ptr<Verifier>> verifiers;
  std::unique_ptr<Verifier> liar;
  std::optional<dispute::ReceiptFolder> receipts;
  ChannelId channel;
  std::uint64_t next_task = 1;

  Network() {
    for (std::size_t i = 0; i < kVerifiers; ++i) {
      const std::string name = "Verifier" + std::to_string(i);
      const KeyPair key = dev_key(KeyScheme::ecdsa, name);
      applied(chain->submit(kRequester,
                            client::call_bytes(credits::Transfer{AddressId{key.account()},
                                                                 {Balance(500 * kCredit.micro)}})));
      verifiers.push_back(std::make_unique<Verifier>(dev, key, name));
      verifiers.back()->start();
    }
    liar = std::make_unique<Verifier>(dev, kLiar, "liar");
    auto opened = applied(chain->submit(
        kRequester, client::call_bytes(channels::Open{.counterparty = kLiar.account(),
                                                      .deposit = {kCredit},
                                                      .challenge_period = DurationMs(10'000)})));
    const auto records = client::decode_events(opened.events.records);
    const auto event = client::find_event<channels::ChannelOpened>(*records, opened.at.index);
    REQUIRE(event);
    channel = event->channel_id;
    receipts.emplace(*dispute::ReceiptFolder::open(dev.folder.path() / "receipts"));
  }

  // A receipt as the worker signed it, for an output that may be a lie.
  std::filesystem::path keep(task::TaskType type, ByteView spec, ByteView input,
                             const Hash& output) {
    const auto units = task::metered_units(type, spec, input.size());
    REQUIRE(units.ok());
    const TimestampMs now = clock_now();
    const auto receipt = task::sign_receipt(kLiar, {.genesis_hash = dev.root.genesis_hash,
                                                    .worker = kLiar.account(),
                                                    .requester = kRequester.account(),
                                                    .channel_id = channel,
                                                    .task_id = next_task++,
                                                    .type = type,
                                                    .environment = task::executor_environment(),
                                                    .spec_hash = blake2_256(spec),
                                                    .input_hash = blake2_256(input),
                                                    .output_hash = output,
                                                    .price = Balance(6),
                                                    .metered_units = *units,
                                                    .started_ms = now,
                                                    .finished_ms = now});
    const auto path = receipts->keep({.receipt = receipt,
                                      .spec = spec,
                                      .input = input,
                                      .agreed_price = Balance(6),
                                      .endpoint = {},
                                      .challenge_period = {},
                                      .kept_at = now});
    REQUIRE(path.ok());
    return *path;
  }

  disputes::DisputeNumber open(const std::filesystem::path& path,
                               const std::vector<std::string>& locations = {}) {
    auto opened = dispute::open_dispute(
        *chain, kRequester, {.receipt_file = path, .reason = "a test", .locations = locations},
        [](const dispute::DisputePlan& plan) {
          CHECK(plan.at_stake.drawable == kVerifiers);
          CHECK(plan.at_stake.stakes.bond == Balance(18 * kCredit.micro));
          CHECK(plan.at_stake.worker_covers == plan.at_stake.stakes.bond);
          return true;
        });
    if (!opened) FAIL(opened.error().code + ": " + opened.error().message);
    return opened->number;
  }

  // Follows it to its end.
  DisputeView end_of(disputes::DisputeNumber number,
                     const std::function<void(const DisputeView&)>& on_change = {}) {
    std::optional<DisputeView> last;
    const auto followed = dispute::follow_dispute(*chain, number, {}, [&](const DisputeView& view) {
      if (on_change) on_change(view);
      last = view;
      return true;
    });
    if (!followed) FAIL(followed.error().message);
    REQUIRE(last);
    for (const std::string& line : dispute::explain(*last).lines) UNSCOPED_INFO(line);
    return *last;
  }
  Balance free_of(const AccountId& account) { return chain->account(account)->data.free; }
};

TEST_CASE("a liar is caught by verifiers that act on their own, one of them across a restart") {
  Network n;
  const Bytes spec = encode(task::PrimeSpec{0, 1'000'000});
  const auto path = n.keep(task::TaskType::prime_calculation, spec, {}, blake2_256(Bytes{1, 2, 3}));
  const Balance before = n.free_of(kRequester.account());
  const auto number = n.open(path);

  const auto again = dispute::plan_dispute(*n.chain, kRequester.account(), {.receipt_file = path});
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == "already_disputed");

  bool restarted = false;
  const DisputeView end = n.end_of(number, [&](const DisputeView& view) {
    for (const auto& seat : view.record.seats) {
      if (restarted || seat.state != SeatState::accepted) continue;
      for (auto& verifier : n.verifiers) {
        if (verifier->key.account() != seat.verifier) continue;
        verifier->driver.reset();
        verifier->start();
        restarted = true;
      }
    }
  });
  CHECK(restarted);
  CHECK(end.record.verdict->outcome == Outcome::rejected);
  REQUIRE(end.record.seats.size() == 3);
  for (const auto& seat : end.record.seats) CHECK(seat.state == SeatState::revealed);

  // The award, less the fee of the challenge itself.
  const Balance after = n.free_of(kRequester.account());
  CHECK(after > before);
  CHECK(after.micro <= before.micro + 10 * kCredit.micro);
  const auto banned = n.chain->read_item(workers::kWorkers, kLiar.account());
  REQUIRE((banned.ok() && banned->has_value()));
  CHECK((*banned)->is_banned(end.chain_time));

  const auto recent = dispute::check_draw(*n.chain, number);
  if (!recent) FAIL(recent.error().message);
  CHECK(recent->holds());
  const auto whole = dispute::check_draw(*n.chain, number,
                                         {.from_genesis = true, .chain_id = n.dev.spec.chain_id});
  if (!whole) FAIL(whole.error().message);
  CHECK(whole->beacon_from == BlockNumber(1));
  CHECK(whole->holds());
  CHECK(whole->first.order.size() >= 3);
}

TEST_CASE("a false accusation about a hosted input costs the accuser") {
  Network n;
  const task::VectorSearchSpec search{
      .metric = task::Metric::dot, .dimensions = 64, .count = 2'000, .queries = 1, .k = 3};
  Bytes input(64 * 2'001);
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<std::uint8_t>(i * 7 + i / 64);
  const Bytes spec = encode(search);
  const auto honest = executors::execute(task::TaskType::vector_search, spec, input);
  REQUIRE(honest.ok());
  const auto path = n.keep(task::TaskType::vector_search, spec, input, honest->hash);

  const auto homeless =
      dispute::plan_dispute(*n.chain, kRequester.account(), {.receipt_file = path});
  REQUIRE_FALSE(homeless.ok());
  CHECK(homeless.error().code == "no_location");

  auto server = content::ContentServer::start(
      {.listen = "127.0.0.1:0"}, [&](const Hash& hash) { return n.receipts->inputs().get(hash); });
  REQUIRE(server.ok());
  const Balance before = n.free_of(kRequester.account());
  const auto number =
      n.open(path, {"127.0.0.1:1", "127.0.0.1:" + std::to_string((*server)->port())});
  const DisputeView end = n.end_of(number);
  CHECK(end.record.verdict->outcome == Outcome::accepted);
  const Balance after = n.free_of(kRequester.account());
  CHECK(after.micro + 14 * kCredit.micro <= before.micro);  // three fees, the award, the burn
}

}  // namespace
}  // namespace tally::worker
