// Validators that come and go, with real processes: bonds, sets that change, absence. Evidence is
// in evidence_test.cpp.
#include "tests/e2e/own_chain.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

constexpr std::uint64_t kBondMicro = 10'000'000'000;

std::uint64_t micro(const Json& text) {
  return std::stoull(text.get<std::string>());
}

std::uint64_t total_of(OwnChain& chain, const std::string& name) {
  return micro(chain.done({"account", name})["total"]);
}

// The first part that is on its way out has arrived.
bool is_due(const Json& unbonding) {
  return !unbonding.empty() && unbonding[0]["remaining_ms"] == 0;
}

Json shown(OwnChain& chain, const std::string& name) {
  const Answer out = chain.tally({"validator", "show", name});
  return out.exit_code == 0 ? out.json : Json{};
}

}  // namespace

TEST_CASE("a validator bonds and enters the set, another leaves it with its bond") {
  OwnChain chain;
  chain.cluster.set_identity(4, {"--validator", "//Eve"});
  for (std::size_t i = 0; i < 5; ++i) chain.cluster.start(i);
  REQUIRE(chain.cluster.reaches(1, 1));

  const Json bonded =
      chain.done({"validator", "bond", "--as", "//Eve", "--keys", "//Eve", "10000CC"});
  CHECK(bonded["validator"]["weight"].is_null());
  REQUIRE(eventually(kPatience, [&] { return chain.validates("Eve"); }));
  CHECK(chain.validator("Eve")["weight"] == 10'000);

  // Of five, four are needed: without Alice and without Eve there is no block.
  chain.cluster.node(0).signal(SIGKILL);
  REQUIRE(chain.cluster.node(0).wait(kPatience));
  CHECK(chain.goes_on(1, 6));
  chain.cluster.start(0);
  REQUIRE(chain.goes_on(0, 1));

  const std::uint64_t before = total_of(chain, "//Dave");
  const Json unbonded = chain.done({"validator", "unbond", "--as", "//Dave", "10000CC"});
  CHECK(unbonded["validator"]["standing"] == "leaving");
  CHECK(unbonded["validator"]["weight"] == 10'000);  // until the sets that name it are through
  const Answer early = chain.tally({"validator", "withdraw", "--as", "//Dave"});
  CHECK(early.exit_code == 4);
  CHECK(early.json["error"]["code"] == "Validators.nothing_to_withdraw");

  REQUIRE(eventually(kPatience, [&] {
    const Json dave = shown(chain, "//Dave");
    return !dave.is_null() && is_due(dave["unbonding"]);
  }));
  CHECK(shown(chain, "//Dave")["weight"].is_null());
  const Json paid = chain.done({"validator", "withdraw", "--as", "//Dave"});
  CHECK(paid["validator"].is_null());
  const Json account = chain.done({"account", "//Dave"});
  CHECK(account["reserved"] == "0");
  CHECK(micro(account["total"]) + kBondMicro / 1'000 > before);  // fees, and its share of others'
  CHECK(chain.tally({"validator", "show", "//Dave"}).json["error"]["code"] == "unknown_validator");

  // Who knows nothing but genesis follows the sets, at a node that was in both and at a new one.
  const Json listed = chain.done({"validator", "list"});
  CHECK(listed["members"] == 4);
  for (const std::size_t node : {0u, 4u}) {
    const Answer fresh =
        chain.tally_at(node, "stranger" + std::to_string(node), {"validator", "list"});
    INFO(fresh.json.dump(2));
    REQUIRE(fresh.exit_code == 0);
    CHECK(fresh.json["epoch"] >= listed["epoch"]);
    CHECK(fresh.json["members"] == 4);
  }
  // Without Dave, and so with Eve: three of four.
  chain.cluster.node(3).signal(SIGINT);
  REQUIRE(chain.cluster.node(3).wait(kPatience) == 0);
  chain.cluster.node(0).signal(SIGKILL);
  CHECK(chain.goes_on(1, 6));
}

TEST_CASE("a validator that is away for an epoch is put out, and comes back by rejoin") {
  OwnChain chain({.downtime_views_min = 3, .keys = {}, .edit = {}});
  chain.cluster.start_validators();
  REQUIRE(chain.cluster.reaches(1, 1));
  const Answer early = chain.tally({"validator", "rejoin", "--as", "//Dave"});
  CHECK(early.exit_code == 4);
  CHECK(early.json["error"]["code"] == "Validators.not_out");

  chain.cluster.node(3).signal(SIGKILL);
  REQUIRE(chain.cluster.node(3).wait(kPatience));
  REQUIRE(eventually(2 * kPatience, [&] {
    const Json dave = chain.validator("Dave");
    return !dave.is_null() && dave["standing"] == "out" && dave["weight"].is_null();
  }));
  const Json dave = chain.validator("Dave");
  CHECK(micro(dave["bonded"]) == kBondMicro - kBondMicro / 1'000);
  CHECK(chain.goes_on(1, 2));

  chain.cluster.start(3);
  REQUIRE(chain.goes_on(3, 1));
  const Json back = chain.done({"validator", "rejoin", "--as", "//Dave"});
  CHECK(back["validator"]["standing"] == "bonded");
  REQUIRE(eventually(2 * kPatience, [&] { return chain.validates("Dave"); }));
  // It votes: without Alice all three others are needed.
  chain.cluster.node(0).signal(SIGKILL);
  REQUIRE(chain.cluster.node(0).wait(kPatience));
  CHECK(chain.goes_on(1, 6));
}

TEST_CASE("a worker's stake, its delegator's and what delegators of a validator get is paid out") {
  OwnChain chain;
  chain.cluster.start_validators();
  REQUIRE(chain.cluster.reaches(1, 1));
  std::ofstream(chain.path("worker.toml")) << "base_path = \"" << chain.path("worker") << "\"\n"
                                           << "[account]\ndev_account = \"Ferdie\"\n"
                                           << "[registration]\nstake = \"150 CC\"\n"
                                           << "endpoint = \"127.0.0.1:9\"\n";
  chain.done({"worker", "register", "--config", chain.path("worker.toml")});
  chain.done({"stake", "--as", "//Ferdie", "30CC"});
  chain.done({"delegate", "--as", "//Eve", "--to", "//Ferdie", "20CC"});
  chain.done({"validator", "delegate", "--as", "//Eve", "--to", "//Alice", "40CC"});
  CHECK(chain.done({"account", "//Eve"})["reserved"] == "60000000");

  chain.done({"unstake", "--as", "//Ferdie", "50CC"});
  chain.done({"undelegate", "--as", "//Eve", "--from", "//Ferdie", "20CC"});
  const Json asked =
      chain.done({"validator", "undelegate", "--as", "//Eve", "--from", "//Alice", "40CC"});
  CHECK(asked["delegation"]["unbonding"].size() == 1);
  REQUIRE(eventually(kPatience, [&] {
    const Json ferdie = chain.done({"worker", "show", "//Ferdie"});
    return is_due(ferdie["stake"]["unbonding"]) && is_due(ferdie["delegations"][0]["unbonding"]);
  }));
  CHECK(chain.done({"withdraw", "--as", "//Ferdie"})["withdrawn"] == "50000000");
  CHECK(chain.done({"account", "//Ferdie"})["reserved"] == "130000000");
  const Json mine = chain.done({"withdraw", "--as", "//Eve", "--worker", "//Ferdie"});
  CHECK(mine["withdrawn"] == "20000000");
  const Answer again = chain.tally({"withdraw", "--as", "//Eve", "--worker", "//Ferdie"});
  CHECK(again.exit_code == 4);

  REQUIRE(eventually(kPatience, [&] {
    const Json alice = shown(chain, "//Alice");
    return !alice.is_null() && is_due(alice["delegations"][0]["unbonding"]);
  }));
  const Json freed =
      chain.done({"validator", "withdraw", "--as", "//Eve", "--validator", "//Alice"});
  CHECK(freed["delegation"].is_null());
  CHECK(chain.done({"account", "//Eve"})["reserved"] == "0");
}
