// One request to open locks one deposit, whatever is lost between the journal and the chain.
#include <catch2/catch.hpp>
#include <thread>

#include "tests/channel_sim/two_hosts.hpp"

namespace tally::client {
namespace {

using Calls = std::vector<std::string>;

// Fails without the journaled extrinsic: a second open with the pool's next nonce is signed, both
// are included, and the second deposit is in a channel that no journal knows.
TEST_CASE("an open that waits in the pool is waited for by the next one, and locks one deposit") {
  Fixture f({.submit_deadline_ms = 300, .open_patience = 300ms});
  f.chain.hold_back();
  const auto first = f.a().open(f.request(kCredit));
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().message.find("may be until block") != std::string::npos);
  const auto second = f.a().open(f.request(kCredit));
  REQUIRE_FALSE(second.ok());
  const auto other = f.a().open(f.request(Balance(2'000'000)));
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().message.find("is under way") != std::string::npos);
  f.chain.release();
  const auto third = f.a().open(f.request(kCredit));
  if (!third) FAIL(third.error().message);
  CHECK(f.chain.calls() == Calls{"open"});
  CHECK(f.chain.held(kAlice.account()) == kCredit);
  REQUIRE(f.a().channels().size() == 1);
  CHECK(f.a().find(*third)->record.stage == channel::Stage::ready);
}

TEST_CASE("an open that the pool turned away leaves nothing behind") {
  Fixture f;
  f.chain.refuse(true);
  const auto refused = f.a().open(f.request(kCredit));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("refused by the test") != std::string::npos);
  CHECK(f.a().channels().empty());
  f.chain.refuse(false);
  const auto other = f.a().open(f.request(Balance(2'000'000)));
  if (!other) FAIL(other.error().message);
  CHECK(f.chain.held(kAlice.account()) == Balance(2'000'000));
}

TEST_CASE("an open that fails in its block leaves nothing behind, also across a restart") {
  Fixture f;
  const auto refused = f.a().open(f.request(Balance(1'000'000'000'000)));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("the chain refused it") != std::string::npos);
  CHECK(f.a().channels().empty());
  f.restart_a();
  CHECK(f.a().channels().empty());
  REQUIRE(f.a().open(f.request(kCredit)).ok());
  CHECK(f.chain.calls() == Calls{"!open", "open"});
}

TEST_CASE("an open that became final while the process was away is there after the start") {
  Fixture f({.submit_deadline_ms = 300, .open_patience = 100ms});
  f.chain.hold_back();
  REQUIRE_FALSE(f.a().open(f.request(kCredit)).ok());
  f.stop_a();
  f.chain.release();
  f.restart_a();
  REQUIRE(f.a().channels().size() == 1);
  CHECK(f.a().channels()[0].record.stage == channel::Stage::ready);
}

TEST_CASE(
    "an open that the pool lost is sent again as it was, and once it is too late it is dropped") {
  Fixture f({.submit_deadline_ms = 300, .open_patience = 100ms});
  f.chain.hold_back();
  REQUIRE_FALSE(f.a().open(f.request(kCredit)).ok());
  f.chain.release(false);
  SECTION("again in time") {
    f.restart_a();
    REQUIRE(f.a().open(f.request(kCredit)).ok());
    CHECK(f.chain.calls() == Calls{"open"});
    CHECK(f.chain.held(kAlice.account()) == kCredit);
  }
  SECTION("too late, and the process was away") {
    f.stop_a();
    f.chain.blocks(600);
    f.restart_a();
    CHECK(f.a().channels().empty());
    REQUIRE(f.a().open(f.request(Balance(2'000'000))).ok());
    CHECK(f.chain.calls() == Calls{"open"});
  }
  SECTION("too late, and the process looked on") {
    f.chain.blocks(600);
    CHECK(eventually([&] { return f.a().channels().empty(); }));
    REQUIRE(f.a().open(f.request(Balance(2'000'000))).ok());
  }
}

TEST_CASE("an open that another machine's open overtook is followed under the id that it got") {
  Fixture f({.submit_deadline_ms = 300, .open_patience = 100ms});
  f.chain.hold_back();
  REQUIRE_FALSE(f.a().open(f.request(kCredit)).ok());
  // The account's counter moves before the open is included.
  f.chain.open_behind_its_back(kAlice, kBob.account(), Balance(3'000'000));
  f.chain.release();
  const auto opened = f.a().open(f.request(kCredit));
  if (!opened) FAIL(opened.error().message);
  CHECK(f.a().find(*opened)->record.stage == channel::Stage::ready);
  CHECK(f.a().find(*opened)->locked == kCredit);
  CHECK(f.a().channels().size() == 1);
  CHECK(f.chain.channel(*opened)->floor.balance_a == kCredit);
}

}  // namespace
}  // namespace tally::client
