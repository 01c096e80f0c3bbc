#include <catch2/catch.hpp>

#include "modules/credits/errors.hpp"
#include "modules/credits/fixture.hpp"
#include "modules/credits/storage.hpp"

namespace tally::credits {
namespace {

const AccountId kAlice = test_account(1);
const AccountId kBob = test_account(2);

Call issue(const AccountId& creditor, u128 amount) {
  return IssueDebt{creditor, {Balance(amount)}};
}
Call settle(const AccountId& creditor, u128 amount) {
  return SettleDebt{creditor, {Balance(amount)}};
}
Call forgive(const AccountId& debtor, u128 amount) {
  return ForgiveDebt{debtor, {Balance(amount)}};
}

void check_refused(const DispatchResult& result, Error error) {
  REQUIRE_FALSE(result.ok());
  CHECK(result.error() == reject(error));
}

i128 net(Fixture& f, const AccountId& account) {
  return net_position(f.state(), account).value_or(BalanceDelta(-1'000'000)).micro;
}

TEST_CASE("a debt is issued, settled in part and forgiven") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  REQUIRE(f.call(kAlice, issue(kBob, 300)).ok());
  CHECK(f.free(kAlice) == Balance(1'000));
  CHECK(net(f, kAlice) == 700);
  CHECK(net(f, kBob) == 800);

  REQUIRE(f.call(kAlice, settle(kBob, 100)).ok());
  CHECK(f.free(kBob) == Balance(600));
  CHECK(kDebts.get(f.state(), kAlice, kBob) == Balance(200));
  CHECK(net(f, kAlice) == 700);
  CHECK(net(f, kBob) == 800);

  REQUIRE(f.call(kBob, forgive(kAlice, 200)).ok());
  CHECK_FALSE(kDebts.contains(f.state(), kAlice, kBob));
  CHECK_FALSE(kDebtTotals.contains(f.state(), kAlice));
  CHECK_FALSE(kDebtTotals.contains(f.state(), kBob));
  CHECK(net(f, kAlice) == 900);
}

TEST_CASE("a net position can be below zero") {
  Fixture f({{kAlice, Balance(100)}, {kBob, Balance(900)}});
  REQUIRE(f.call(kAlice, issue(kBob, 1'000)).ok());
  CHECK(net(f, kAlice) == -900);
  CHECK(net(f, kBob) == 1'900);
}

TEST_CASE("debts are refused for the first of their reasons") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  SECTION("issue") {
    check_refused(f.call(kAlice, issue(kAlice, 0)), Error::zero_amount);
    check_refused(f.call(kAlice, issue(kAlice, 5'000)), Error::self_debt);
    for (std::uint8_t i = 10; i < 13; ++i) {
      REQUIRE(f.call(kAlice, issue(test_account(i), 1)).ok());
    }
    check_refused(f.call(kAlice, issue(kBob, 1'501)), Error::debt_too_large);
    check_refused(f.call(kAlice, issue(kBob, 1)), Error::too_many_debts);
    CHECK(f.call(kAlice, issue(test_account(10), 1)).ok());
    REQUIRE(f.call(test_account(12), forgive(kAlice, 1)).ok());
    CHECK(f.call(kAlice, issue(kBob, 1)).ok());
  }
  SECTION("issue up to the issuance, in parts") {
    REQUIRE(f.call(kAlice, issue(kBob, 1'500)).ok());
    check_refused(f.call(kAlice, issue(kBob, 1)), Error::debt_too_large);
    check_refused(f.call(kAlice, issue(kBob, ~u128{0})), Error::debt_too_large);
  }
  SECTION("settle") {
    REQUIRE(f.call(kAlice, issue(kBob, 1'200)).ok());
    check_refused(f.call(kAlice, settle(kBob, 0)), Error::zero_amount);
    check_refused(f.call(kAlice, settle(kBob, 1'201)), Error::debt_exceeded);
    check_refused(f.call(kAlice, settle(kBob, 1'100)), Error::insufficient_balance);
    check_refused(f.call(kAlice, settle(kBob, 995)), Error::would_leave_dust);
    check_refused(f.call(kBob, settle(kAlice, 1)), Error::debt_exceeded);
  }
  SECTION("forgive") {
    REQUIRE(f.call(kAlice, issue(kBob, 10)).ok());
    check_refused(f.call(kBob, forgive(kAlice, 0)), Error::zero_amount);
    check_refused(f.call(kBob, forgive(kAlice, 11)), Error::debt_exceeded);
    check_refused(f.call(kAlice, forgive(kAlice, 1)), Error::debt_exceeded);
  }
}

TEST_CASE("a debt outlives the debtor's account") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  REQUIRE(f.call(kAlice, issue(kBob, 300)).ok());
  REQUIRE(f.call(kAlice, TransferAll{AddressId{kBob}}).ok());
  CHECK(net(f, kAlice) == -300);
  CHECK(kDebts.get(f.state(), kAlice, kBob) == Balance(300));
}

}  // namespace
}  // namespace tally::credits
