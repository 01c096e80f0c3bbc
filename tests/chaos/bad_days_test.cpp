// What happens to a validator on a bad day, on real processes: what it says, that it never signs
// two things, and that it comes back by itself where that is safe. The sections of "Bad days" in
// docs/operators.md are these scenes.
#include <sys/stat.h>

#include <fstream>

#include "tests/chaos/load.hpp"
#include "tests/chaos/watch.hpp"
#include "tests/e2e/own_chain.hpp"
#include "tests/support/relay.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

namespace fs = std::filesystem;

// Four development validators on local4, all of which validate.
struct Four {
  Cluster cluster;
  Watch watch{cluster};

  void start() {
    cluster.start_validators();
    for (std::size_t i = 0; i < 4; ++i) {
      INFO(cluster.node(i).log());
      REQUIRE(watch.comes_to(i, "validating"));
    }
  }
  void stop(std::size_t node) {
    cluster.node(node).signal(SIGTERM);
    REQUIRE(cluster.node(node).wait(kPatience) == 0);
  }
  void well_in_the_end() {
    for (std::size_t i = 0; i < 4; ++i) {
      INFO(cluster.node(i).log());
      CHECK(watch.comes_to(i, "validating"));
    }
    CHECK(watch.goes_on(0, 2));
    watch.one_chain({0, 1, 2, 3});
    CHECK_FALSE(watch.any_evidence());
  }
};

std::size_t size_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

}  // namespace

// Not what it says while it listens.
constexpr const char* kCopyVoted = "another copy of this validator has voted";

TEST_CASE("an old copy of the data folder: the validator notices, says so and does not vote") {
  Four four;
  four.start();
  const fs::path data = four.watch.folder(3);
  const fs::path old = four.cluster.folder().path() / "old";
  four.stop(3);
  fs::copy(data, old, fs::copy_options::recursive);
  four.cluster.start(3);
  REQUIRE(four.watch.comes_to(3, "validating"));
  REQUIRE(four.watch.goes_on(3, 3));
  // Without a quorum the chain stands; node 3 gives the view up, and node 2 hears it.
  for (const std::size_t i : {0u, 1u}) four.watch.kill(i);
  const std::size_t before = size_of(data / "votes.log");
  REQUIRE(eventually(kPatience, [&] { return size_of(data / "votes.log") > before; }));
  REQUIRE(eventually(kPatience, [&] { return four.watch.is(3, "not_voting"); }));
  CHECK(four.watch.says(3, "too few validators"));
  four.watch.kill(3);
  fs::remove_all(data);
  fs::rename(old, data);
  four.cluster.start(3);
  REQUIRE(eventually(2 * kPatience, [&] { return four.watch.says(3, kCopyVoted); }));
  CHECK(four.watch.is(3, "not_voting"));
  const Json status = four.watch.status(3);
  CHECK(status["advice"].get<std::string>().find("old copy") != std::string::npos);
  CHECK(four.cluster.node(3).log().find(status["reason"].get<std::string>()) != std::string::npos);
  // The three others are a quorum, and it follows them.
  for (const std::size_t i : {0u, 1u}) four.cluster.start(i);
  CHECK(four.watch.goes_on(0, 3));
  CHECK(four.watch.goes_on(3, 1));
  CHECK(four.watch.says(3, kCopyVoted));
  four.watch.one_chain({0, 1, 2, 3});
  CHECK_FALSE(four.watch.any_evidence());
}

TEST_CASE("two nodes with one validator's keys: the newcomer does not vote, and both say why") {
  const KeyFolder twice;
  OwnChain chain({.downtime_views_min = 1'000, .keys = {{3, twice.keys()}}, .edit = [](Json& spec) {
                    spec["consensus"]["epoch_length"] = 10'000;
                  }});
  Watch watch(chain.cluster);
  for (const std::size_t i : {3u, 4u}) chain.cluster.set_identity(i, twice.options());
  chain.cluster.start_validators();
  for (std::size_t i = 0; i < 4; ++i) REQUIRE(watch.comes_to(i, "validating"));
  REQUIRE(watch.goes_on(0, 2));
  chain.cluster.start(4);
  const bool told = eventually(2 * kPatience, [&] { return watch.says(4, kCopyVoted); });
  INFO(chain.cluster.node(4).log());
  REQUIRE(told);
  CHECK(watch.is(4, "not_voting"));
  CHECK(watch.is(3, "validating"));
  CHECK(watch.goes_on(4, 3));
  CHECK_FALSE(watch.any_evidence());
}

TEST_CASE("a copied data folder beside its original: the original goes on, the copy says why not") {
  Four four;
  four.start();
  four.stop(3);
  fs::copy(four.watch.folder(3), four.watch.folder(4), fs::copy_options::recursive);
  four.cluster.start(3);
  REQUIRE(four.watch.comes_to(3, "validating"));
  REQUIRE(four.watch.goes_on(3, 4));  // by then its links have settled
  const std::size_t logged = four.cluster.node(3).log().size();
  four.cluster.set_identity(4, {"--validator", dev_uri(3)});
  four.cluster.start(4);
  const bool told = eventually(
      2 * kPatience, [&] { return four.watch.says(4, "another node has this node's key"); });
  INFO(four.cluster.node(4).log());
  REQUIRE(told);
  CHECK(four.watch.is(4, "not_voting"));
  CHECK(four.watch.is(3, "validating"));
  CHECK(four.cluster.node(3).log().find("peer down", logged) == std::string::npos);
  CHECK(four.watch.goes_on(3, 2));
  CHECK_FALSE(four.watch.any_evidence());
}

TEST_CASE("a data folder without its database: synced again, and no vote is given twice") {
  Four four;
  four.start();
  four.watch.kill(2);
  fs::remove_all(four.watch.folder(2) / "db");
  four.cluster.start(2);
  four.well_in_the_end();
}

TEST_CASE("a folder without the vote files: the validator follows until the next epoch") {
  Four four;
  four.start();
  four.watch.kill(2);
  for (const char* file : {"votes.log", "high-water"}) fs::remove(four.watch.folder(2) / file);
  four.cluster.start(2);
  REQUIRE(eventually(2 * kPatience, [&] { return four.watch.says(2, "missing"); }));
  CHECK(four.watch.is(2, "not_voting"));
  CHECK(four.watch.goes_on(2, 2));
  CHECK_FALSE(four.watch.any_evidence());
}

TEST_CASE("a flipped byte in the vote log: the validator follows and says so") {
  Four four;
  four.start();
  REQUIRE(four.watch.goes_on(2, 2));
  four.watch.kill(2);
  {
    std::fstream log(four.watch.folder(2) / "votes.log",
                     std::ios::in | std::ios::out | std::ios::binary);
    log.seekg(20);
    const char before = static_cast<char>(log.get());
    log.seekp(20);
    log.put(static_cast<char>(before ^ 0x40));
  }
  four.cluster.start(2);
  REQUIRE(eventually(2 * kPatience, [&] { return four.watch.says(2, "damaged"); }));
  CHECK(four.watch.is(2, "not_voting"));
  CHECK(four.watch.goes_on(2, 2));
  CHECK_FALSE(four.watch.any_evidence());
}

// A limit on the size of files stands for a disk without space: the write is refused.
TEST_CASE("a full disk: the node ends with 74 and words, and comes back when there is space") {
  Four four;
  four.start();
  four.stop(1);
  four.cluster.start(1, {"/bin/bash", "-c", "ulimit -f 256; exec \"$@\"", "tallyd"});
  const Load load(four.cluster, {"Alice", "Charlie"});
  REQUIRE(four.cluster.node(1).wait(2 * kPatience) == 74);
  const std::string log = four.cluster.node(1).log();
  CHECK(log.find("Check the disk") != std::string::npos);
  four.cluster.start(1);
  four.well_in_the_end();
}

TEST_CASE("a network that is cut off for long and healed") {
  Four four;
  std::vector<std::unique_ptr<Relay>> relays;
  std::vector<std::string> bootnodes;
  for (std::size_t i = 0; i < 3; ++i) {
    relays.push_back(std::make_unique<Relay>(four.cluster.ports(i).peers, RelayQuality{1, 0, 200}));
    bootnodes.push_back(dev_bootnode(i, relays.back()->port()));
    std::vector<std::string> others;  // all but the one that is cut off later
    for (std::size_t j = 0; j < i; ++j) {
      others.push_back(dev_bootnode(j, four.cluster.ports(j).peers));
    }
    four.cluster.set_bootnodes(i, others);
  }
  four.cluster.set_bootnodes(3, bootnodes);
  four.start();
  for (auto& relay : relays) relay->cut();
  CHECK(eventually(kPatience, [&] { return four.watch.says(3, "too few validators"); }));
  CHECK(four.watch.is(3, "not_voting"));
  CHECK(four.watch.goes_on(0, 8));
  for (auto& relay : relays) relay->heal();
  four.well_in_the_end();
}

TEST_CASE("a folder that cannot be written is no start, with its name") {
  const TempFolder place;
  const Ended ended = run_to_end(
      {kTallyd, "--chain", "dev", "--validator", "//Alice", "--base-path", "/proc/tally"},
      place.path() / "log");
  INFO(ended.output);
  CHECK(ended.exit_code == 1);
  CHECK(ended.output.find("/proc/tally") != std::string::npos);
}
