// A new node joins a chain whose nodes have pruned its beginning: by the state at an epoch's end,
// killed on the way, or block by block from the one that kept everything.
#include <signal.h>

#include "tests/e2e/own_chain.hpp"

namespace tally::tests {
namespace {

constexpr std::uint32_t kEpoch = 12;  // blocks
constexpr std::uint32_t kAccounts = 6'000;

// Enough of a state that taking it can be interrupted.
void many_accounts(Json& spec) {
  spec["consensus"]["epoch_length"] = kEpoch;
  for (std::uint32_t i = 0; i < kAccounts; ++i) {
    const auto account = AccountId::from(blake2_256({as_bytes("sync"), encode(i)}));
    spec["accounts"].push_back({{"account", to_ss58(*account)}, {"balance", "5 CC"}});
  }
}

bool took_snapshot(const Process& node) {
  return node.log().find("was taken from peers") != std::string::npos;
}

}  // namespace

TEST_CASE("e2e: a new node takes a snapshot, through kill -9, or every block, as it is told") {
  ChainRules rules;
  rules.edit = many_accounts;
  OwnChain chain(rules);
  Cluster& cluster = chain.cluster;
  for (std::size_t i = 0; i < 4; ++i) {
    // The last keeps everything.
    cluster.set_identity(i, {"--validator", dev_uri(i), "--pruning", i == 3 ? "archive" : "4"});
  }
  cluster.start_validators();
  const std::uint32_t before = 5 * kEpoch;
  REQUIRE(cluster.reaches(0, before));
  const auto transferred = transfer(*cluster.client(0), "Bob", "Eve", Balance(3'000'000));
  REQUIRE(transferred.ok());

  // Killed again and again, each time a little later; it goes on with what it has.
  // Of what it has it forgets nothing, so that what is not there was never taken.
  cluster.set_identity(4, {"--sync", "snapshot", "--pruning", "archive"});
  for (int round = 1; round <= 5; ++round) {
    cluster.start(4);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(250 * round);
    eventually(kPatience, [&] {
      return std::chrono::steady_clock::now() > until || took_snapshot(cluster.node(4));
    });
    cluster.node(4).signal(SIGKILL);
    REQUIRE(cluster.node(4).wait(kPatience));
  }
  cluster.start(4);
  {
    const auto client = cluster.client(4);
    const std::uint32_t now = Cluster::height(*cluster.client(0));
    INFO(cluster.node(4).log());
    REQUIRE(eventually(kPatience, [&] { return Cluster::height(*client) >= now; }));
    CHECK(cluster.node(4).log().find("syncing_snapshot") != std::string::npos);
    // The beginning is gone, and it says what there is.
    const auto gone = client->block(BlockNumber(3));
    REQUIRE_FALSE(gone.ok());
    CHECK(gone.error().message.find("no longer kept") != std::string::npos);
    CHECK(gone.error().message.find("--pruning archive") != std::string::npos);
    CHECK(chain.goes_on(4, 3));
  }
  const Answer balance = chain.tally_at(4, "fresh", {"account", "//Eve"});
  INFO(balance.json.dump());
  CHECK(balance.exit_code == 0);

  cluster.node(4).signal(SIGTERM);
  REQUIRE(cluster.node(4).wait(kPatience) == 0);
  std::filesystem::remove_all(cluster.folder().path() / "node4");
  std::filesystem::remove(cluster.folder().path() / "node4.log");
  cluster.set_identity(4, {"--sync", "blocks", "--pruning", "archive"});
  cluster.start(4);
  {
    const auto client = cluster.client(4);
    const std::uint32_t now = Cluster::height(*cluster.client(0));
    INFO(cluster.node(4).log());
    REQUIRE(eventually(kPatience, [&] { return Cluster::height(*client) >= now; }));
    CHECK(cluster.node(4).log().find("syncing_snapshot") == std::string::npos);
    CHECK(client->block(BlockNumber(3)).ok());
  }
}

TEST_CASE("e2e: a node whose database is damaged says so and ends, and comes back without it") {
  ChainRules rules;
  rules.edit = [](Json& spec) { spec["consensus"]["epoch_length"] = kEpoch; };
  OwnChain chain(rules);
  Cluster& cluster = chain.cluster;
  cluster.start_validators();
  REQUIRE(cluster.reaches(1, 2 * kEpoch));
  cluster.node(1).signal(SIGTERM);
  REQUIRE(cluster.node(1).wait(kPatience) == 0);
  const auto folder = cluster.folder().path() / "node1";
  for (const auto& entry : std::filesystem::directory_iterator(folder / "db")) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("MANIFEST", 0) == 0) std::filesystem::resize_file(entry.path(), 40);
  }
  cluster.start(1);
  CHECK(cluster.node(1).wait(kPatience) == 65);
  const std::string log = cluster.node(1).log();
  CHECK(log.find((folder / "db").string()) != std::string::npos);
  CHECK(log.find("Keep votes.log and high-water") != std::string::npos);

  std::filesystem::remove_all(folder / "db");
  cluster.start(1);
  const std::uint32_t now = Cluster::height(*cluster.client(0));
  CHECK(cluster.reaches(1, now));
  CHECK(eventually(kPatience, [&] { return chain.validates("Bob"); }));
  CHECK(chain.goes_on(1, 8));
}

}  // namespace tally::tests
