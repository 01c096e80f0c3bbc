#include <catch2/catch.hpp>

#include "modules/credits/errors.hpp"
#include "modules/validators/fixture_test.hpp"

namespace tally::validators {
namespace {

using People = std::vector<int>;

TEST_CASE("a bond is named two epochs later and not before") {
  Fixture f;
  const Balance free = f.free(5);
  REQUIRE(f.bond(5, cc(3'000)).ok());
  CHECK(f.caused(Bonded{person(5), f.keys(5).consensus_key, f.keys(5).vrf_key, cc(3'000)}));
  CHECK(f.held(5) == cc(3'000));
  CHECK(f.free(5).micro == free.micro - cc(3'000).micro);
  CHECK(f.candidate(5).registered == Epoch(1));
  f.to_epoch(2);
  // Epoch 2 was named by genesis; epoch 3 by the last block of epoch 1. A VRF key registered in
  // epoch 1 counts from epoch 3: its randomness is the beacon at the end of epoch 2, which nobody
  // knew when the key was chosen. (Naming the set for the next epoch fails here.)
  CHECK(f.people_of(validator_set(f.state())) == People{1, 2, 3, 4});
  CHECK(f.people_of(*set_of(f.state(), Epoch(3))) == People{5, 1, 2, 3});
  CHECK(f.candidate(5).last_named == Epoch(3));
  CHECK(f.candidate(4).last_named == Epoch(2));
}

TEST_CASE("a set has at most N members, by stake, and equals by account") {
  Fixture f({.validators = 4, .validators_max = 3});
  REQUIRE(f.bond(5, cc(2'000)).ok());
  REQUIRE(f.call(9, Delegate{person(4), {cc(10)}}).ok());
  f.to_epoch(2);
  const ValidatorSet set = *set_of(f.state(), Epoch(3));
  CHECK(f.people_of(set) == People{4, 1, 2});
  CHECK(set.members[0].weight == 2'010);
  CHECK(set.members[1].weight == 2'000);
}

TEST_CASE("a stake weighs its whole credits, and never too much") {
  CHECK(weight_of(Balance(kCC - 1)) == 0);
  CHECK(weight_of(Balance(kCC)) == 1);
  CHECK(weight_of(Balance(u128{1} << 127)) == std::uint64_t{1} << 50);
}

// Fails with either of the two proofs in check_keys unchecked.
TEST_CASE("keys are the caller's own, on this chain, and nobody else's") {
  Fixture f;
  const Balance amount = cc(1'000);
  // Another's proofs, shown by somebody else: they name its account.
  CHECK(refused(f.call(6, Bond{f.keys(5), {amount}}), Error::bad_consensus_proof));
  // A consensus key whose secret one has, with another's VRF key.
  Keys mixed = f.keys(6);
  mixed.vrf_key = f.keys(5).vrf_key;
  mixed.consensus_proof = ed25519_sign(
      keys_of(6).consensus,
      possession_bytes({f.block().genesis_hash, person(6)}, mixed.consensus_key, mixed.vrf_key));
  CHECK(refused(f.call(6, Bond{mixed, {amount}}), Error::bad_vrf_proof));
  const Keys elsewhere = prove_keys({Hash{}, person(6)}, keys_of(6));
  CHECK(refused(f.call(6, Bond{elsewhere, {amount}}), Error::bad_consensus_proof));
  Keys no_point = f.keys(6);
  no_point.vrf_key = VrfKey{};
  CHECK_FALSE(f.call(6, Bond{no_point, {amount}}).ok());
  // The keys of a validator, with proofs that the same person made for a second account.
  CHECK(refused(f.call(6, Bond{f.keys_with(6, keys_of(1)), {amount}}), Error::key_in_use));
  CHECK(refused(f.call(6, Bond{f.keys_with(6, {keys_of(6).consensus, keys_of(1).vrf}), {amount}}),
                Error::key_in_use));
  CHECK(f.bond(6, amount).ok());
}

TEST_CASE("bonds keep the minimum or end") {
  Fixture f;
  CHECK(refused(f.bond(5, Balance(cc(1'000).micro - 1)), Error::bond_too_small));
  CHECK(refused(f.bond(1, cc(1'000)), Error::already_bonded));
  CHECK(refused(f.bond(5, Balance(0)), Error::zero_amount));
  CHECK(refused(f.bond(5, Balance((u128{1} << 100) + 1)), Error::amount_out_of_range));
  CHECK(refused(f.bond(5, cc(1'000'001)), credits::reject(credits::Error::insufficient_balance)));
  CHECK(refused(f.call(1, Unbond{{cc(1'001)}}), Error::bond_too_small));
  CHECK(refused(f.call(1, Unbond{{cc(2'001)}}), Error::not_that_much));
  CHECK(refused(f.call(5, Unbond{{cc(1)}}), Error::unknown_validator));
  CHECK(f.call(1, Unbond{{cc(1'000)}}).ok());
  CHECK(f.call(1, BondMore{{cc(5)}}).ok());
  CHECK(f.candidate(1).bonded == cc(1'005));
  CHECK(f.held(1) == cc(2'005));
}

TEST_CASE("what served is bound until the unbonding time after the last epoch that counted it") {
  Fixture f;
  REQUIRE(f.call(4, Unbond{{cc(2'000)}}).ok());
  CHECK(f.caused(Unbonded{person(4), cc(2'000), Balance(0), Epoch(2)}));
  CHECK(f.candidate(4).standing == Standing::leaving);
  // It serves in epochs 1 and 2 all the same: the stake waits for the end of epoch 2.
  CHECK_FALSE(due_at(f.state(), f.config(), f.candidate(4).unbonding[0]));
  f.pass(f.config().unbonding);
  CHECK(refused(f.call(4, Withdraw{person(4)}), Error::nothing_to_withdraw));
  f.to_epoch(3);
  const TimestampMs due = due_at(f.state(), f.config(), f.candidate(4).unbonding[0]).value();
  CHECK(due.value == f.block().time.value + f.config().unbonding.value);
  f.pass(DurationMs(f.config().unbonding.value - 1));
  CHECK(refused(f.call(4, Withdraw{person(4)}), Error::nothing_to_withdraw));
  f.pass(DurationMs(1));
  const Balance free = f.free(4);
  REQUIRE(f.call(4, Withdraw{person(4)}).ok());
  CHECK(f.free(4).micro - free.micro == cc(2'000).micro);
  CHECK(f.held(4).is_zero());
  // Nothing is left of it, and its keys are free.
  CHECK_FALSE(find(f.state(), person(4)));
  CHECK(f.bond(4, cc(1'000)).ok());
}

TEST_CASE("what never served is due the unbonding time after it was asked for") {
  Fixture f({.validators = 4, .validators_max = 4});
  REQUIRE(f.bond(5, cc(1'000)).ok());
  f.to_epoch(3);
  REQUIRE(f.call(5, Unbond{{cc(1'000)}}).ok());
  CHECK(due_at(f.state(), f.config(), f.candidate(5).unbonding[0]) ==
        TimestampMs(f.block().time.value + f.config().unbonding.value));
  f.pass(f.config().unbonding);
  CHECK(f.call(5, Withdraw{person(5)}).ok());
}

TEST_CASE("a validator that leaves is not named, and may come back") {
  Fixture f;
  REQUIRE(f.call(4, Unbond{{cc(2'000)}}).ok());
  CHECK(refused(f.call(9, Delegate{person(4), {cc(10)}}), Error::not_bonded));
  f.to_epoch(2);
  CHECK(f.people_of(*set_of(f.state(), Epoch(3))) == People{1, 2, 3});
  CHECK(refused(f.call(4, BondMore{{cc(999)}}), Error::bond_too_small));
  REQUIRE(f.call(4, BondMore{{cc(1'000)}}).ok());
  f.to_epoch(3);
  CHECK(f.people_of(*set_of(f.state(), Epoch(4))) == People{1, 2, 3, 4});
  CHECK(f.held(4) == cc(3'000));
}

// Fails with another_nameable answering true always: the set after the next would be empty, and
// the old one would be carried over without a bond.
TEST_CASE("the last validator stays") {
  Fixture f({.validators = 2});
  REQUIRE(f.call(1, Unbond{{cc(2'000)}}).ok());
  CHECK(refused(f.call(2, Unbond{{cc(2'000)}}), Error::last_validator));
  CHECK(f.call(2, Unbond{{cc(1'000)}}).ok());
  f.to_epoch(4);
  CHECK(f.people_of(validator_set(f.state())) == People{2});
}

TEST_CASE("delegations count, wait and come back like bonds") {
  Fixture f;
  CHECK(refused(f.call(9, Delegate{person(8), {cc(10)}}), Error::unknown_validator));
  CHECK(refused(f.call(1, Delegate{person(1), {cc(10)}}), Error::own_stake));
  CHECK(refused(f.call(9, Delegate{person(1), {cc(9)}}), Error::delegation_small));
  CHECK(refused(f.call(9, Undelegate{person(1), {cc(9)}}), Error::no_delegation));
  REQUIRE(f.call(9, Delegate{person(1), {cc(100)}}).ok());
  CHECK(f.candidate(1).stake() == cc(2'100));
  CHECK(refused(f.call(9, Undelegate{person(1), {cc(91)}}), Error::delegation_small));
  CHECK(refused(f.call(9, Undelegate{person(1), {cc(101)}}), Error::not_that_much));
  REQUIRE(f.call(9, Undelegate{person(1), {cc(100)}}).ok());
  CHECK(f.caused(Undelegated{person(9), person(1), cc(100), Epoch(2)}));
  CHECK(f.held(9) == cc(100));
  f.to_epoch(3);
  f.pass(f.config().unbonding);
  REQUIRE(f.call(9, Withdraw{person(1)}).ok());
  CHECK(f.held(9).is_zero());
  CHECK_FALSE(find_delegation(f.state(), person(1), person(9)));
}

TEST_CASE("parts that are due together are one, and their number is bounded") {
  Fixture f({.bond = 10'000});
  for (int i = 0; i < 100; ++i) REQUIRE(f.call(1, Unbond{{cc(10)}}).ok());
  CHECK(f.candidate(1).unbonding.size() == 1);
  CHECK(f.candidate(1).unbonding[0].amount == cc(1'000));
  // One part an epoch while it serves.
  for (std::uint64_t epoch = 2; epoch <= kMaxUnbonding; ++epoch) {
    f.to_epoch(epoch);
    REQUIRE(f.call(1, Unbond{{cc(10)}}).ok());
  }
  CHECK(f.candidate(1).unbonding.size() == kMaxUnbonding);
  f.to_epoch(kMaxUnbonding + 1);
  CHECK(refused(f.call(1, Unbond{{cc(10)}}), Error::too_many_unbonding));
  f.pass(f.config().unbonding);
  REQUIRE(f.call(1, Withdraw{person(1)}).ok());
  CHECK(f.call(1, Unbond{{cc(10)}}).ok());
}

TEST_CASE("new keys serve from the epoch after the next, and the old ones are free") {
  Fixture f;
  const Keys fresh = f.keys_with(1, keys_of(40));
  REQUIRE(f.call(1, SetKeys{fresh}).ok());
  f.to_epoch(2);
  const auto key_of_first = [&](Epoch epoch) {
    return set_of(f.state(), epoch)->members[0].consensus_key;
  };
  CHECK(key_of_first(Epoch(2)) == f.keys(1).consensus_key);
  CHECK(key_of_first(Epoch(3)) == fresh.consensus_key);
  // One of the two may stay.
  CHECK(f.call(1, SetKeys{f.keys_with(1, {keys_of(41).consensus, keys_of(40).vrf})}).ok());
  CHECK(refused(f.call(1, SetKeys{f.keys_with(1, keys_of(2))}), Error::key_in_use));
  CHECK(refused(f.call(5, SetKeys{f.keys(5)}), Error::unknown_validator));
  // A key that the set of this epoch names for 1 and the set after the next for 5: never twice in
  // one set, which the invariants check.
  REQUIRE(f.call(5, Bond{f.keys_with(5, keys_of(1)), {cc(5'000)}}).ok());
  f.to_epoch(5);
  CHECK(f.people_of(validator_set(f.state())) == People{5, 1, 2, 3});
}

TEST_CASE("a validator has a bounded number of delegators") {
  Fixture f({.people = 60});
  for (int who = 5; who <= 60; ++who) {
    REQUIRE(f.call(who, Delegate{person(1), {cc(10)}}).ok());
  }
  CHECK(f.candidate(1).delegated == cc(560));
  CHECK(refused(f.call(4, Delegate{person(1), {cc(10)}}), Error::too_many_delegators));
  CHECK(f.call(5, Delegate{person(1), {cc(1)}}).ok());
}

}  // namespace
}  // namespace tally::validators
