#include <catch2/catch.hpp>

#include "modules/credits/errors.hpp"
#include "modules/credits/fixture.hpp"
#include "modules/system/api.hpp"

namespace tally::credits {
namespace {

const AccountId kAlice = test_account(1);
const AccountId kBob = test_account(2);
const AccountId kCarol = test_account(3);

MultiAddress at(const AccountId& account) {
  return AddressId{account};
}
Call transfer_call(const AccountId& to, u128 amount) {
  return Transfer{at(to), {Balance(amount)}};
}

void check_refused(const DispatchResult& result, Error error) {
  REQUIRE_FALSE(result.ok());
  CHECK(result.error() == reject(error));
}

TEST_CASE("a transfer moves credits") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  REQUIRE(f.call(kAlice, transfer_call(kBob, 300)).ok());
  CHECK(f.free(kAlice) == Balance(700));
  CHECK(f.free(kBob) == Balance(800));
}

TEST_CASE("a transfer to a missing account begins it, and one of everything ends the sender") {
  Fixture f({{kAlice, Balance(1'000)}});
  REQUIRE(f.call(kAlice, transfer_call(kCarol, 1'000)).ok());
  CHECK(f.free(kCarol) == Balance(1'000));
  CHECK_FALSE(account_is_alive(f.state(), kAlice));
  CHECK_FALSE(system::kAccount.contains(f.state(), kAlice));
}

TEST_CASE("an ended account keeps its nonce") {
  Fixture f({{kAlice, Balance(1'000)}});
  auto entry = system::kAccount.at(f.state(), kAlice);
  system::AccountInfo info = entry.get();
  info.nonce = Nonce(7);
  entry.put(info);
  REQUIRE(f.call(kAlice, transfer_call(kCarol, 1'000)).ok());
  CHECK(system::kAccount.get(f.state(), kAlice).nonce == Nonce(7));
  CHECK_FALSE(account_is_alive(f.state(), kAlice));
  REQUIRE(f.call(kCarol, transfer_call(kAlice, 500)).ok());
  CHECK(system::kAccount.get(f.state(), kAlice).nonce == Nonce(7));
}

TEST_CASE("a transfer to oneself changes nothing and needs the amount") {
  Fixture f({{kAlice, Balance(1'000)}});
  REQUIRE(f.call(kAlice, transfer_call(kAlice, 1'000)).ok());
  CHECK(f.free(kAlice) == Balance(1'000));
  check_refused(f.call(kAlice, transfer_call(kAlice, 1'001)), Error::insufficient_balance);
}

TEST_CASE("a transfer is refused for the first of its reasons") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  SECTION("an address that is no account, before the balance") {
    const auto result = f.call(kAlice, Transfer{AddressIndex{{3}}, {Balance(9'999)}});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error() == DispatchError(ErrorCannotLookup{}));
  }
  SECTION("not enough, before dust") {
    check_refused(f.call(kAlice, transfer_call(kCarol, 1'001)), Error::insufficient_balance);
  }
  SECTION("dust at the sender, before the receiver's existential deposit") {
    check_refused(f.call(kAlice, transfer_call(kBob, 991)), Error::would_leave_dust);
    Fixture small({{kAlice, Balance(14)}});
    check_refused(small.call(kAlice, transfer_call(kCarol, 5)), Error::would_leave_dust);
  }
  SECTION("the receiver would begin below the existential deposit") {
    check_refused(f.call(kAlice, transfer_call(kCarol, 9)), Error::existential_deposit);
    check_refused(f.call(kAlice, transfer_call(kCarol, 0)), Error::existential_deposit);
    CHECK(f.call(kAlice, transfer_call(kCarol, 10)).ok());
    CHECK(f.call(kAlice, transfer_call(kBob, 0)).ok());
  }
  SECTION("held and frozen credits stay") {
    REQUIRE(f.run([&] { return hold(f.ctx(), kAlice, HoldReason::channel, Balance(600)); }).ok());
    check_refused(f.call(kAlice, transfer_call(kBob, 401)), Error::insufficient_balance);
    check_refused(f.call(kAlice, transfer_call(kBob, 400)), Error::would_leave_dust);
    CHECK(f.call(kAlice, transfer_call(kBob, 390)).ok());
  }
}

TEST_CASE(
    "transfer_all ends an account that holds nothing, and leaves the deposit of one that does") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  REQUIRE(f.run([&] { return hold(f.ctx(), kBob, HoldReason::channel, Balance(100)); }).ok());
  REQUIRE(f.call(kBob, TransferAll{at(kAlice)}).ok());
  CHECK(f.free(kBob) == Balance(10));
  CHECK(f.held(kBob) == Balance(100));
  REQUIRE(f.call(kAlice, TransferAll{at(kCarol)}).ok());
  CHECK(f.free(kCarol) == Balance(1'390));
  CHECK_FALSE(account_is_alive(f.state(), kAlice));
}

TEST_CASE("holds move between free and held, and out") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  const auto hold_of = [&](u128 amount) {
    return f.run([&] { return hold(f.ctx(), kAlice, HoldReason::channel, Balance(amount)); });
  };
  check_refused(hold_of(991), Error::insufficient_balance);
  REQUIRE(hold_of(600).ok());
  CHECK(held_total(f.state(), HoldReason::channel) == Balance(600));
  CHECK(spendable_balance(f.ctx(), kAlice) == Balance(390));

  release(f.ctx(), kAlice, HoldReason::channel, Balance(100));
  CHECK(f.free(kAlice) == Balance(500));
  pay_held(f.ctx(), {kAlice, HoldReason::channel, kBob, Balance(200)});
  CHECK(f.free(kBob) == Balance(700));
  pay_held(f.ctx(), {kAlice, HoldReason::channel, kAlice, Balance(50)});
  CHECK(f.free(kAlice) == Balance(550));
  burn_held(f.ctx(), kAlice, HoldReason::channel, Balance(30), BurnReason::channel_fee);
  CHECK(total_issuance(f.state()) == Balance(1'470));
  pay_held_to_pool(f.ctx(), kAlice, HoldReason::channel, Balance(3));
  CHECK(f.free(reward_pool_account()) == Balance(3));
  f.check();
}

TEST_CASE("a payout below the existential deposit to a missing account goes to the reward pool") {
  Fixture f({{kAlice, Balance(1'000)}});
  REQUIRE(f.run([&] { return hold(f.ctx(), kAlice, HoldReason::channel, Balance(100)); }).ok());
  pay_held(f.ctx(), {kAlice, HoldReason::channel, kCarol, Balance(9)});
  CHECK(f.free(kCarol) == Balance(0));
  CHECK(f.free(reward_pool_account()) == Balance(9));
  pay_held(f.ctx(), {kAlice, HoldReason::channel, kCarol, Balance(10)});
  CHECK(f.free(kCarol) == Balance(10));
  f.check();
}

TEST_CASE("the reward pool pays what it has") {
  Fixture f({{kAlice, Balance(1'000)}, {reward_pool_account(), Balance(50)}});
  CHECK(pay_from_pool(f.ctx(), kCarol, Balance(9)) == Balance(0));
  CHECK(pay_from_pool(f.ctx(), kCarol, Balance(20)) == Balance(20));
  CHECK(pay_from_pool(f.ctx(), kAlice, Balance(100)) == Balance(30));
  CHECK(pay_from_pool(f.ctx(), kAlice, Balance(1)) == Balance(0));
  f.check();
}

TEST_CASE("a fee is half burned, half the proposer's, and the tip is the proposer's") {
  Fixture f({{kAlice, Balance(1'000)}, {kBob, Balance(500)}});
  f.block().proposer = kBob;
  REQUIRE(f.run([&] { return charge_fee(f.ctx(), kAlice, {Balance(101), Balance(7)}); }).ok());
  CHECK(f.free(kAlice) == Balance(892));
  CHECK(f.free(kBob) == Balance(557));
  CHECK(total_issuance(f.state()) == Balance(1'449));
}

TEST_CASE("a proposer pays its own fee and gets its half back") {
  Fixture f({{kAlice, Balance(1'000)}});
  f.block().proposer = kAlice;
  REQUIRE(f.run([&] { return charge_fee(f.ctx(), kAlice, {Balance(100), Balance(0)}); }).ok());
  CHECK(f.free(kAlice) == Balance(950));
}

TEST_CASE("a fee leaves the existential deposit, and a poor proposer's share goes to the pool") {
  Fixture f({{kAlice, Balance(100)}});
  check_refused(f.run([&] {
    return charge_fee(f.ctx(), kAlice, {Balance(91), Balance(0)});
  }),
                Error::insufficient_balance);
  REQUIRE(f.run([&] { return charge_fee(f.ctx(), kAlice, {Balance(18), Balance(0)}); }).ok());
  CHECK(f.free(reward_pool_account()) == Balance(9));
  REQUIRE(f.run([&] { return charge_fee(f.ctx(), kAlice, {Balance(72), Balance(0)}); }).ok());
  CHECK(f.free(kAlice) == Balance(10));
}

TEST_CASE("fees are base, length and weight") {
  // 100 + 2·150 + 1,000 µCC for each 10⁹ ps
  CHECK(*fee_of(test_config(), 150, Weight(2'500'000)) == Balance(402));
  CHECK(*fee_of(test_config(), 0, Weight(0)) == Balance(100));
  Config huge = test_config();
  huge.fee_per_byte = Balance(~u128{0});
  CHECK_FALSE(fee_of(huge, 2, Weight(0)).ok());
}

}  // namespace
}  // namespace tally::credits
