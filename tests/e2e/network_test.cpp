#include "client-sdk/http/http.hpp"
#include "tests/e2e/cluster.hpp"
#include "tests/support/relay.hpp"

using namespace tally;
using namespace tally::tests;

TEST_CASE("four validators finalize a transfer, and all four show it") {
  Cluster cluster;
  cluster.start_validators();
  auto alice = cluster.client(0);
  REQUIRE(cluster.reaches(0, 1));
  const auto outcome = transfer(*alice, "Alice", "Eve", Balance(25'000'000));
  INFO(cluster.node(0).log());
  REQUIRE(outcome.ok());
  CHECK_FALSE(outcome->failure);
  for (std::size_t i = 0; i < 4; ++i) {
    REQUIRE(cluster.reaches(i, outcome->at.number.value));
    auto client = cluster.client(i);
    const auto at = client->finalized_at(outcome->at.number);
    REQUIRE(at.ok());
    CHECK(at->hash == outcome->at.block_hash);
    CHECK(client->find_transaction(outcome->extrinsic_hash).ok());
  }
}

TEST_CASE("a node that was killed catches up, and a new full node syncs from genesis") {
  Cluster cluster;
  cluster.start_validators();
  auto alice = cluster.client(0);
  REQUIRE(transfer(*alice, "Alice", "Eve", Balance(1'000'000)).ok());
  cluster.node(3).signal(SIGKILL);
  CHECK(cluster.node(3).wait(kPatience) == 128 + SIGKILL);

  // Three of four go on.
  std::uint32_t height = 0;
  for (int i = 0; i < 5; ++i) {
    const auto outcome = transfer(*alice, "Alice", "Eve", Balance(1'000'000));
    REQUIRE(outcome.ok());
    height = outcome->at.number.value;
  }
  cluster.start(3);
  cluster.start(4);
  CHECK(cluster.reaches(3, height));
  CHECK(cluster.reaches(4, height));
  auto full = cluster.client(4);
  CHECK(full->finalized_at(BlockNumber(height))->hash ==
        alice->finalized_at(BlockNumber(height))->hash);
  // The full node passes transactions on.
  const auto outcome = transfer(*full, "Bob", "Eve", Balance(1'000'000));
  INFO(cluster.node(4).log());
  CHECK(outcome.ok());
}

TEST_CASE("all killed at once under load, all come back and go on from where they were") {
  Cluster cluster;
  cluster.start_validators();
  std::uint32_t height = 0;
  {
    auto alice = cluster.client(0);
    for (int i = 0; i < 3; ++i) {
      const auto outcome = transfer(*alice, "Alice", "Eve", Balance(1'000'000));
      REQUIRE(outcome.ok());
      height = outcome->at.number.value;
    }
  }
  for (std::size_t i = 0; i < 4; ++i) cluster.node(i).signal(SIGKILL);
  for (std::size_t i = 0; i < 4; ++i) REQUIRE(cluster.node(i).wait(kPatience));
  cluster.start_validators();
  for (std::size_t i = 0; i < 4; ++i) CHECK(cluster.reaches(i, height + 2));
}

TEST_CASE("SIGINT and SIGTERM end a node with exit code 0, and its data are whole") {
  Cluster cluster;
  cluster.start_validators();
  REQUIRE(cluster.reaches(3, 2));
  auto client = cluster.client(3);
  const std::uint32_t before = Cluster::height(*client);
  for (const int signal : {SIGINT, SIGTERM}) {
    cluster.node(3).signal(signal);
    INFO(cluster.node(3).log());
    CHECK(cluster.node(3).wait(kPatience) == 0);
    cluster.start(3);
    CHECK(cluster.reaches(3, before));
  }
}

TEST_CASE("the metrics page names the node's state and what its disk holds") {
  Cluster cluster;
  cluster.start_validators();
  const http::Endpoint endpoint{.host = "127.0.0.1", .port = cluster.ports(0).metrics};
  std::string page;
  const auto shows = [&](const std::string& line) {
    const auto answer = http::send(endpoint, {.target = "/metrics"}, {});
    if (answer.ok()) page = answer->body;
    return page.find(line) != std::string::npos;
  };
  const bool votes =
      eventually(kPatience, [&] { return shows("tally_node_state{state=\"validating\"} 1"); });
  INFO(page);
  CHECK(votes);
  CHECK_THAT(page, Catch::Contains("tally_node_state{state=\"stopped\"} 0"));
  CHECK_THAT(page, Catch::Contains("tally_validates 1"));
  CHECK_THAT(page, Catch::Contains("tally_database_bytes ") &&
                       !Catch::Contains("tally_database_bytes 0") &&
                       Catch::Contains("tally_disk_free_bytes "));
}

TEST_CASE("links of 25 ms with loss, one of them cut and healed") {
  Cluster cluster;
  // Validator i dials those before it, each pair over a relay of its own.
  std::vector<std::unique_ptr<Relay>> relays;
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<std::string> bootnodes;
    for (std::size_t j = 0; j < i; ++j) {
      relays.push_back(std::make_unique<Relay>(cluster.ports(j).peers, RelayQuality{25, 10, 200}));
      bootnodes.push_back(dev_bootnode(j, relays.back()->port()));
    }
    cluster.set_bootnodes(i, bootnodes);
  }
  cluster.start_validators();
  auto alice = cluster.client(0);
  const auto first = transfer(*alice, "Alice", "Eve", Balance(1'000'000));
  REQUIRE(first.ok());
  CHECK(first->finality_ms >= 75);  // three delays: the relays do delay

  // Dave dialled all others through the last three.
  for (std::size_t i = 3; i < 6; ++i) relays[i]->cut();
  const auto second = transfer(*alice, "Alice", "Eve", Balance(1'000'000));
  REQUIRE(second.ok());
  for (std::size_t i = 3; i < 6; ++i) relays[i]->heal();
  CHECK(cluster.reaches(3, second->at.number.value + 1));
}
