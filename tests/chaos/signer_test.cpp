// A validator whose keys are in a process of their own, on a chain that needs its vote.
#include "tests/chaos/load.hpp"
#include "tests/chaos/watch.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

// Validators 0, 1 and 3 of local4, a quorum only together; the keys of 3 are with a signer.
struct WithSigner {
  Cluster cluster;
  Watch watch{cluster};
  std::string socket = (cluster.folder().path() / "socket").string();
  std::unique_ptr<Process> signer;

  void start_signer(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{
        kTallyd,    "signer", "--validator", "//Dave",
        "--socket", socket,   "--state",     (cluster.folder().path() / "signer").string()};
    command.insert(command.end(), more.begin(), more.end());
    signer = std::make_unique<Process>(command, cluster.folder().path() / "signer.log");
  }
  void start() {
    start_signer({"--new-mark"});
    REQUIRE(eventually(kPatience, [&] { return std::filesystem::exists(socket); }));
    cluster.set_identity(3, {"--signer", "unix:" + socket});
    for (const std::size_t i : {0u, 1u, 3u}) cluster.start(i);
    for (const std::size_t i : {0u, 1u, 3u}) {
      INFO(cluster.node(i).log() << signer->log());
      REQUIRE(watch.comes_to(i, "validating"));
    }
  }
};

}  // namespace

TEST_CASE("a validator with a signer makes blocks final, waits for it when it is killed, goes on") {
  WithSigner world;
  world.start();
  Load load(world.cluster, {"Alice", "Bob"});
  REQUIRE(world.watch.goes_on(0, 3));
  for (int round = 0; round < 3; ++round) {
    world.signer->signal(SIGKILL);
    REQUIRE(world.signer->wait(kPatience));
    REQUIRE(eventually(kPatience, [&] { return world.watch.says(3, "signer does not answer"); }));
    CHECK(world.watch.is(3, "not_voting"));
    world.start_signer();
    INFO(world.cluster.node(3).log() << world.signer->log());
    REQUIRE(world.watch.comes_to(3, "validating"));
    REQUIRE(world.watch.goes_on(0, 2));
  }
  // A node that starts while its signer is away follows, and votes when it is back.
  world.watch.kill(3);
  world.signer->signal(SIGKILL);
  REQUIRE(world.signer->wait(kPatience));
  world.cluster.start(3);
  REQUIRE(eventually(kPatience, [&] { return !world.watch.status(3).is_null(); }));
  CHECK_FALSE(world.watch.is(3, "validating"));
  world.start_signer();
  REQUIRE(world.watch.comes_to(3, "validating"));
  CHECK(world.watch.goes_on(0, 2));
  load.stop();
  world.watch.one_chain({0, 1, 3});
  CHECK_FALSE(world.watch.any_evidence());
}

TEST_CASE("a signer refuses a start without its mark, and says what to do") {
  WithSigner world;
  world.start_signer();
  CHECK(world.signer->wait(kPatience) == 2);
  CHECK(world.signer->log().find("--new-mark") != std::string::npos);
}
