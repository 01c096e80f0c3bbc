#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>

#include "node/service/config.hpp"
#include "node/service/core_dumps.hpp"
#include "node/service/folder_lock.hpp"
#include "node/service/node.hpp"
#include "node/service/subscriptions.hpp"
#include "node/service/worker_pool.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"
#include "primitives/keystore/durable_file.hpp"
#include "primitives/keystore/key_file.hpp"

using namespace tally;
using namespace tally::service;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("tally-service-" + to_hex(Secret::generate().view()).substr(0, 16));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("each source of settings is above the one before") {
  const Folder folder;
  const auto file = folder.path / "tallyd.toml";
  std::ofstream(file) << "[network]\nport = 1\nlisten = \"::1\"\n[rpc]\nport = 1\n"
                         "[log]\nformat = \"json\"\n[metrics]\nenabled = false\n";
  const auto toml = read_toml(file);
  REQUIRE(toml.ok());
  const ConfigValues environment = read_environment([](const char* name) -> const char* {
    if (std::string_view(name) == "TALLY_NETWORK_PORT") return "2";
    if (std::string_view(name) == "TALLY_RPC_PORT") return "2";
    return nullptr;
  });
  const auto config = make_config(
      {{"file", *toml}, {"environment", environment}, {"command line", {{"network.port", {"3"}}}}});
  REQUIRE(config.ok());
  CHECK(config->port == 3);
  CHECK(config->rpc_port == 2);
  CHECK(config->listen == "::1");
  CHECK(config->log.format == LogFormat::json);
  CHECK_FALSE(config->metrics);
  CHECK_FALSE(config->metrics_port);
}

TEST_CASE("a config file that is none is refused with its name and the reason") {
  const Folder folder;
  const auto error_of = [&](const std::filesystem::path& file) {
    const auto values = read_toml(file);
    REQUIRE_FALSE(values.ok());
    CHECK(values.error().message.find(file.string()) != std::string::npos);
    return values.error().message;
  };
  CHECK(error_of(folder.path).find("it is a folder") != std::string::npos);
  CHECK(error_of(folder.path / "none").find("No such file") != std::string::npos);
  const auto file = folder.path / "tallyd.toml";
  std::ofstream(file) << "[network]\nport = 1\n[=rpc]\n";
  CHECK(error_of(file).find("line 3: expected TOML") != std::string::npos);
  std::ofstream(file) << "[network]\nport = 1.5\n";
  CHECK(error_of(file).find("line 2: network.port: expected") != std::string::npos);
}

TEST_CASE("of the environment what looks like a setting and is none is told apart") {
  const std::vector<std::string> names{"TALLY_NETWORK_PORT", "TALLY_NETWORK_PROT", "TALLY_NODE",
                                       "TALLY_KEY_PASSWORD", "TALLY_LOG_LEVEL",    "PATH"};
  CHECK(unknown_in_environment(names) == std::vector<std::string>{"TALLY_NETWORK_PROT"});
}

TEST_CASE("settings have names of their own, and bad values name setting and source") {
  std::set<std::string> keys;
  std::set<std::string> flags;
  for (const Setting& setting : settings()) {
    CHECK(keys.insert(std::string(setting.key)).second);
    CHECK(flags.insert(std::string(setting.flag)).second);
  }
  const auto refused = [](const std::string& key, const std::string& value) {
    const auto config = make_config({{"the source", {{key, {value}}}}});
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().message.find("the source") != std::string::npos);
    CHECK(config.error().message.find(key) != std::string::npos);
  };
  refused("network.port", "-1");
  refused("network.port", "65536");
  refused("network.port", "5 ");
  refused("network.bootnodes", "nobody");
  refused("metrics.enabled", "yes");
  refused("log.level", "loud");
  refused("pool.transactions", "");
  refused("node.chain", "");
  refused("no.such", "1");
  CHECK_FALSE(make_config({{"s", {{"rpc.port", {"1", "2"}}}}}).ok());
  CHECK_FALSE(
      make_config({{"s", {{"node.validator", {"//Alice"}}, {"node.validator_keys", {"k"}}}}}).ok());
}

TEST_CASE("evidence is reported by the account that the operator names") {
  NodeConfig config;
  CHECK_FALSE(reporter_key_of(config)->has_value());  // it is only kept
  config.validator = "//Bob";
  const auto bob = reporter_key_of(config);
  REQUIRE(bob.ok());
  CHECK((*bob)->account() == dev_key(KeyScheme::ecdsa, "Bob").account());

  const Folder folder;
  const StoredKey key = StoredKey::generate(KeyKind::ed25519);
  config.reporter_key = folder.path / "reporter.json";
  config.reporter_password_file = folder.path / "password";
  REQUIRE(write_key_file(*config.reporter_key, *encrypt_key(key, "secret", KeyCost::least())).ok());
  REQUIRE(write_private_file(*config.reporter_password_file, "secret\n", false).ok());
  const auto own = reporter_key_of(config);
  REQUIRE(own.ok());
  CHECK((*own)->account() == key.account_pair()->account());
  REQUIRE(write_private_file(*config.reporter_password_file, "wrong\n", true).ok());
  CHECK_FALSE(reporter_key_of(config).ok());
  // A validator's key is no account.
  config.reporter_key = folder.path / "consensus.json";
  const StoredKey consensus = StoredKey::generate(KeyKind::consensus);
  REQUIRE(write_key_file(*config.reporter_key, *encrypt_key(consensus, "wrong", KeyCost::least()))
              .ok());
  const auto refused = reporter_key_of(config);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("account key") != std::string::npos);
}

TEST_CASE("development validators have ports 10 apart and know each other") {
  const auto local4 = genesis::preset("local4");
  const auto dev = genesis::preset("dev");
  REQUIRE((local4.ok() && dev.ok()));
  NodeConfig config;
  config.validator = "//Charlie";
  const auto full = with_defaults(config, *local4);
  REQUIRE(full.ok());
  CHECK(full->port == 30353);
  CHECK(full->rpc_port == 9963);
  CHECK(full->metrics_port == 9635);
  REQUIRE(full->bootnodes->size() == 4);
  CHECK((*full->bootnodes)[1].port == 30343);
  CHECK(with_defaults(config, *dev)->bootnodes->size() == 1);  // its only validator
  genesis::ChainSpec live = *local4;
  live.chain_type = "Live";
  CHECK_FALSE(with_defaults(config, live).ok());  // everybody knows the key

  config.validator.reset();
  config.bootnodes.emplace();
  const auto alone = with_defaults(config, *local4);
  REQUIRE(alone.ok());
  CHECK(alone->port == 30333);
  CHECK(alone->bootnodes->empty());
}

TEST_CASE("the pool runs every job once, on any number of threads") {
  for (const std::size_t threads : {0u, 1u, 4u}) {
    const WorkerPool pool(threads);
    std::vector<std::atomic<int>> runs(1000);
    pool.run(runs.size(), [&](std::size_t i) { ++runs[i]; });
    CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& n) { return n == 1; }));
    pool.run(0, [](std::size_t) { FAIL("there was no job"); });
  }
}

TEST_CASE("signatures are judged one by one, at once and later") {
  const WorkerPool pool(2);
  std::promise<std::vector<bool>> later;
  PoolVerifier verifier(pool, [&](std::uint64_t ticket, std::vector<bool> results) {
    if (ticket == 7) later.set_value(std::move(results));
  });
  const KeyPair key = KeyPair::generate(KeyScheme::ecdsa);
  std::vector<ports::SignatureJob> jobs;
  std::vector<bool> expected;
  for (std::uint8_t i = 0; i < 50; ++i) {
    const Bytes payload{i};
    const bool good = i % 3 != 0;
    jobs.push_back({key.account(), payload, key.sign(good ? payload : Bytes{99})});
    expected.push_back(good);
  }
  CHECK(verifier.check(jobs) == expected);
  verifier.check_later(7, jobs);
  CHECK(later.get_future().get() == expected);
}

TEST_CASE("a transaction's listeners hear of it until the last word or their end") {
  Subscriptions subscriptions;
  const Hash hash = blake2_256(as_bytes("tx"));
  int first = 0;
  int second = 0;
  auto a = subscriptions.add_transaction(hash, [&](const ports::TxStatus&) { ++first; });
  auto b = subscriptions.add_transaction(hash, [&](const ports::TxStatus&) { ++second; });
  subscriptions.tell_transaction(hash, ports::TxReady{});
  subscriptions.tell_transaction(blake2_256(as_bytes("other")), ports::TxReady{});
  b.reset();
  subscriptions.tell_transaction(hash, ports::TxFinalized{});
  subscriptions.tell_transaction(hash, ports::TxReady{});
  CHECK(first == 2);
  CHECK(second == 1);
}

TEST_CASE("head listeners end with their subscription, which may outlive the board") {
  auto subscriptions = std::make_unique<Subscriptions>();
  int heads = 0;
  auto entry = subscriptions->add_heads([&](ports::HeadKind, const ports::Head&) { ++heads; });
  subscriptions->tell_head(ports::HeadKind::best, {});
  auto other = subscriptions->add_heads([&](ports::HeadKind, const ports::Head&) { ++heads; });
  other.reset();
  subscriptions->tell_head(ports::HeadKind::finalized, {});
  subscriptions.reset();
  entry.reset();
  CHECK(heads == 2);
}

// In a process of its own: it is for good.
TEST_CASE("a process that holds keys leaves no core dump") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    forbid_core_dumps();
    rlimit size{1, 1};
    bool good = ::getrlimit(RLIMIT_CORE, &size) == 0 && size.rlim_cur == 0 && size.rlim_max == 0;
#if !defined(__SANITIZE_ADDRESS__)
    good = good && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
#endif
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("one folder, one lock, free again when its holder is gone") {
  const Folder folder;
  {
    const auto first = FolderLock::take(folder.path / "new");
    REQUIRE(first.ok());
    const auto second = FolderLock::take(folder.path / "new");
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().message.find("in use by process") != std::string::npos);
  }
  CHECK(FolderLock::take(folder.path / "new").ok());
}
