#include <catch2/catch.hpp>

#include "genesis/test_chain.hpp"
#include "modules/credits/api.hpp"
#include "modules/credits/errors.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/merkle/merkle.hpp"
#include "runtime/events.hpp"
#include "runtime/weights.hpp"

namespace tally::runtime {
namespace {

using genesis::SignOptions;
using genesis::TestChain;

KeyPair key(std::string_view name) {
  return dev_key(KeyScheme::ecdsa, name);
}

RuntimeCall transfer(std::string_view to, u128 amount) {
  return CreditsCall{credits::Transfer{AddressId{key(to).account()}, {Balance(amount)}}};
}

std::vector<EventRecord> events_of(const BlockOutcome& outcome) {
  const auto events = decode<std::vector<EventRecord>>(outcome.events);
  REQUIRE(events.ok());
  return *events;
}

Balance free(const TestChain& chain, std::string_view name) {
  return credits::free_balance(chain.state(), key(name).account());
}

TEST_CASE("a block with a transfer moves credits, charges the fee and says so") {
  TestChain chain = TestChain::dev();
  const Balance alice = free(chain, "Alice");
  const Balance bob = free(chain, "Bob");
  const Balance issued = credits::total_issuance(chain.state());
  const auto tx = chain.checked(chain.sign(key("Bob"), transfer("Eve", 5'000'000), {}));
  const auto outcome = chain.add({tx});
  REQUIRE(outcome.ok());
  REQUIRE(outcome->results.size() == 1);
  CHECK_FALSE(outcome->results[0].error.has_value());
  const Balance fee = outcome->results[0].fee;
  CHECK(free(chain, "Bob").micro == bob.micro - 5'000'000 - fee.micro);
  CHECK(free(chain, "Alice").micro == alice.micro + fee.micro / 2);
  CHECK(credits::total_issuance(chain.state()).micro == issued.micro - (fee.micro - fee.micro / 2));
  CHECK(system::kAccount.get(chain.state(), key("Bob").account()).nonce == Nonce(1));
  CHECK(outcome->extrinsics_root == merkle_root(std::vector<Hash>{tx.tx().hash}));

  const auto events = events_of(*outcome);
  REQUIRE(events.size() == 3);
  CHECK(events[1].event == RuntimeEvent(CreditsEvent{credits::Transferred{
                               key("Bob").account(), key("Eve").account(), Balance(5'000'000)}}));
  const auto& last = std::get<SystemEvent>(events[2].event).value;
  CHECK(std::holds_alternative<system::ExtrinsicSuccess>(last));
  for (const EventRecord& record : events) CHECK(record.phase == Phase(PhaseApply{0}));
  CHECK(kEvents.find(chain.state()) == events);
}

TEST_CASE("a failed call pays its fee, raises the nonce and changes nothing else") {
  TestChain chain = TestChain::dev();
  const Balance bob = free(chain, "Bob");
  const auto tx = chain.checked(chain.sign(key("Bob"), transfer("Eve", ~u128{0}), {}));
  const auto outcome = chain.add({tx});
  REQUIRE(outcome.ok());
  REQUIRE(outcome->results[0].error.has_value());
  CHECK(*outcome->results[0].error == credits::reject(credits::Error::insufficient_balance));
  CHECK(to_text(*outcome->results[0].error) == "Credits.insufficient_balance");
  CHECK(free(chain, "Bob").micro == bob.micro - outcome->results[0].fee.micro);
  CHECK(system::kAccount.get(chain.state(), key("Bob").account()).nonce == Nonce(1));
  const auto events = events_of(*outcome);
  REQUIRE(events.size() == 2);
  const auto& last = std::get<SystemEvent>(events[1].event).value;
  CHECK(std::holds_alternative<system::ExtrinsicFailed>(last));
}

TEST_CASE("nonces go up by one, in order") {
  TestChain chain = TestChain::dev();
  const auto at = [&](std::uint32_t nonce) {
    return chain.checked(chain.sign(key("Bob"), transfer("Eve", 1'000), {Nonce(nonce), {}, {}}));
  };
  const auto invalid = [](std::size_t index, InvalidTransaction reason) {
    return BlockError{BlockErrorCode::invalid_transaction, index, reason};
  };
  auto gap = chain.add({at(0), at(2)});
  REQUIRE_FALSE(gap.ok());
  CHECK(gap.error() == invalid(1, InvalidTransaction::future));
  CHECK(to_text(gap.error()) == "invalid_transaction 1: future");
  auto twice = chain.add({at(0), at(0)});
  REQUIRE_FALSE(twice.ok());
  CHECK(twice.error() == invalid(1, InvalidTransaction::stale));
  CHECK(chain.add({at(0), at(1), at(2)}).ok());
}

TEST_CASE("the input of a block is checked against its parent's state") {
  TestChain chain = TestChain::dev();
  const auto error_of = [&](const BlockInput& input) {
    const auto outcome = execute_block(chain.state(), input, {});
    REQUIRE_FALSE(outcome.ok());
    return outcome.error().code;
  };
  BlockInput input = chain.input();
  input.number = BlockNumber(2);
  CHECK(error_of(input) == BlockErrorCode::wrong_number);
  input = chain.input(0);
  CHECK(error_of(input) == BlockErrorCode::time_not_after_parent);
  input = chain.input();
  input.consensus.epoch = Epoch(2);
  CHECK(error_of(input) == BlockErrorCode::wrong_epoch);
  input = chain.input();
  input.consensus.vrf_proof.bytes.fill(0xFF);
  CHECK(error_of(input) == BlockErrorCode::bad_vrf_proof);
}

TEST_CASE("a signature is good for the fork that it was made on") {
  TestChain chain = TestChain::dev();
  const Era era = Era::mortal(64, BlockNumber(1));
  REQUIRE(chain.add({}).ok());
  const Bytes bytes = chain.sign(key("Bob"), transfer("Eve", 1'000), {Nonce(0), {}, era});
  const auto tx = chain.checked(bytes);
  TestChain other = TestChain::dev();
  REQUIRE(other.add({}, 150).ok());
  CHECK(other.head() != chain.head());
  const auto refused = other.add({tx});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason == InvalidTransaction::bad_proof);
  CHECK_THROWS_WITH(other.checked(bytes), "bad_proof");
  CHECK(chain.add({tx}).ok());
}

TEST_CASE("a mortal transaction dies") {
  TestChain chain = TestChain::dev();
  REQUIRE(chain.add({}).ok());
  const Era era = Era::mortal(4, BlockNumber(1));
  const Bytes bytes = chain.sign(key("Bob"), transfer("Eve", 1'000), {Nonce(0), {}, era});
  const TransactionValidator validator(chain.parent());
  const auto tx = chain.checked(bytes);
  const auto valid = validator.validate(tx);
  REQUIRE(valid.ok());
  REQUIRE(valid->death.has_value());
  while (chain.number().next() < *valid->death) REQUIRE(chain.add({}).ok());
  // The birth block of that era would now be the block itself, then another block than the signed
  // one.
  const auto late = chain.add({tx});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().reason == InvalidTransaction::ancient_birth_block);
  REQUIRE(chain.add({}).ok());
  const auto later = chain.add({tx});
  REQUIRE_FALSE(later.ok());
  CHECK(later.error().reason == InvalidTransaction::bad_proof);
}

TEST_CASE("the pool's checks refuse for the first of their reasons") {
  TestChain chain = TestChain::dev();
  REQUIRE(chain.add({}).ok());
  const auto reason = [&](const Bytes& bytes) {
    auto tx = decode_transaction(bytes);
    if (!tx.ok()) return tx.error();
    const TransactionValidator validator(chain.parent());
    const auto additional = validator.additional(*tx);
    if (!additional.ok()) return additional.error();
    const auto checked = CheckedTransaction::check(*tx, *additional);
    if (!checked.ok()) return checked.error();
    const auto valid = validator.validate(*checked);
    REQUIRE_FALSE(valid.ok());
    return valid.error();
  };
  const RuntimeCall call = transfer("Eve", 1'000);
  Bytes good = chain.sign(key("Bob"), call, {});
  Bytes trailing = good;
  trailing.push_back(0);
  CHECK(reason(trailing) == InvalidTransaction::call);
  CHECK(reason(encode_extrinsic(Extrinsic{std::nullopt, encode(call)})) ==
        InvalidTransaction::bad_signer);
  const RuntimeCall huge = SystemCall{system::Remark{Bytes(140'000)}};
  CHECK(reason(chain.sign(key("Bob"), huge, {})) == InvalidTransaction::exhausts_resources);
  CHECK(reason(chain.sign(key("Bob"), call, {Nonce(0), {}, Era::mortal(4, BlockNumber(2))})) ==
        InvalidTransaction::ancient_birth_block);
  good[good.size() / 2] ^= 1;
  CHECK(reason(good) == InvalidTransaction::bad_proof);
  REQUIRE(chain.add({chain.checked(chain.sign(key("Bob"), call, {}))}).ok());
  CHECK(reason(chain.sign(key("Bob"), call, {})) == InvalidTransaction::stale);
  CHECK(reason(chain.sign(dev_key(KeyScheme::ecdsa, "Nobody"), call, {})) ==
        InvalidTransaction::payment);
  CHECK(reason(chain.sign(key("Bob"), call, {Nonce(1), Balance(~u128{0}), {}})) ==
        InvalidTransaction::payment);
}

TEST_CASE("a made-up Sr25519 signature can be priced and never verified") {
  TestChain chain = TestChain::dev();
  Extrinsic extrinsic;
  extrinsic.call = encode(transfer("Eve", 1'000));
  extrinsic.signature = ExtrinsicSignature{AddressId{key("Bob").account()}, SignedSr25519{}, {}};
  const auto tx = decode_transaction(encode_extrinsic(extrinsic));
  REQUIRE(tx.ok());
  const TransactionValidator validator(chain.parent());
  CHECK(validator.fee(*tx).ok());
  const auto checked = CheckedTransaction::check(*tx, *validator.additional(*tx));
  REQUIRE_FALSE(checked.ok());
  CHECK(checked.error() == InvalidTransaction::bad_proof);
}

TEST_CASE("a proposal holds what is valid and fits, and executes to the same changes") {
  TestChain chain = TestChain::dev();
  std::vector<CheckedTransaction> pool;
  for (const std::uint32_t nonce : {0u, 2u, 1u, 1u, 2u}) {
    pool.push_back(chain.checked(
        chain.sign(key("Bob"), transfer("Eve", 1'000 + nonce), {Nonce(nonce), {}, {}})));
  }
  std::vector<const CheckedTransaction*> candidates;
  for (const auto& tx : pool) candidates.push_back(&tx);
  const BlockInput input = chain.input();
  const auto proposal = propose_block(chain.state(), input, candidates);
  REQUIRE(proposal.ok());
  CHECK(proposal->chosen == std::vector<std::size_t>{0, 2, 4});
  REQUIRE(proposal->refused.size() == 2);
  CHECK(proposal->refused[0].reason == InvalidTransaction::future);
  CHECK(proposal->refused[1].reason == InvalidTransaction::stale);
  std::vector<const CheckedTransaction*> chosen;
  for (const std::size_t i : proposal->chosen) chosen.push_back(candidates[i]);
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto outcome = execute_block(chain.state(), input, chosen);
    REQUIRE(outcome.ok());
    CHECK(outcome->changes == proposal->outcome.changes);
    CHECK(outcome->events == proposal->outcome.events);
    CHECK(outcome->extrinsics_root == proposal->outcome.extrinsics_root);
  }
}

TEST_CASE("normal calls leave a quarter of the block to operational ones") {
  // Operational; it fails, since there is no such channel, and has its room in the lane all the
  // same.
  const RuntimeCall settle = ChannelsCall{channels::Settle{}};
  auto spec = *genesis::preset("dev");
  const std::uint64_t lane = properties(settle).weight.value + kTransactionWeight.value;
  const std::uint64_t each = properties(transfer("Eve", 1)).weight.value + kTransactionWeight.value;
  const std::size_t room = 3 * lane / each;
  spec.blocks.block_weight = Weight(4 * lane);
  TestChain chain(spec);
  std::vector<CheckedTransaction> pool;
  for (std::uint32_t nonce = 0; nonce < room + 2; ++nonce) {
    pool.push_back(
        chain.checked(chain.sign(key("Bob"), transfer("Eve", 1'000), {Nonce(nonce), {}, {}})));
  }
  pool.push_back(chain.checked(chain.sign(key("Eve"), settle, {})));
  std::vector<const CheckedTransaction*> candidates;
  for (const auto& tx : pool) candidates.push_back(&tx);
  const auto proposal = propose_block(chain.state(), chain.input(), candidates);
  REQUIRE(proposal.ok());
  CHECK(proposal->chosen.size() == room + 1);
  CHECK(proposal->chosen.back() == pool.size() - 1);
  CHECK(proposal->refused[0].reason == InvalidTransaction::exhausts_resources);
  MapState after = chain.state();
  after.apply(proposal->outcome.changes);
  const auto usage = system::kLaneUsage.get(after);
  CHECK(usage[0].used == Weight(lane));
  CHECK(usage[0].capacity == Weight(lane));
}

TEST_CASE("the last block of an epoch names the set and the next block is in the next epoch") {
  auto spec = *genesis::preset("dev");
  spec.consensus.epoch_length = 3;
  TestChain chain(spec);
  for (std::uint32_t number = 1; number <= 6; ++number) {
    const auto outcome = chain.add({});
    REQUIRE(outcome.ok());
    CHECK(outcome->named_set.has_value() == (number % 3 == 0));
  }
  CHECK(validators::epoch_info(chain.state()).epoch == Epoch(3));
}

// The whole way of a block as bytes: a change of any encoding, fee, weight or rule shows here.
TEST_CASE("golden block") {
  TestChain chain = TestChain::dev();
  const auto first = chain.checked(
      chain.sign(key("Bob"), transfer("Eve", 123'456'789), {Nonce(0), Balance(5), {}}));
  const auto second = chain.checked(chain.sign(
      key("Eve"), CreditsCall{credits::IssueDebt{key("Bob").account(), {Balance(1'000)}}}, {}));
  const auto third =
      chain.checked(chain.sign(key("Bob"), transfer("Eve", ~u128{0}), {Nonce(1), {}, {}}));
  const auto outcome = chain.add({first, second, third});
  REQUIRE(outcome.ok());
  CHECK(to_hex(blake2_256(encode(outcome->changes))) ==
        "3422b1e78b0f0ae554eaa857fc5dae4ce572906d307fffbe1fe57cbb72e1fe6c");
  CHECK(to_hex(blake2_256(outcome->events)) ==
        "5ac294244bafca07f7b5ab78cbbd9436dd66f75906f8b6523aff7ec728baf2eb");
  CHECK(to_hex(outcome->extrinsics_root) ==
        "97a1671faea201dea8e5c09502a389147626780d8cac77f47fe8020b6ad3199a");
  CHECK(to_hex(tree::state_root(chain.state().entries())) ==
        "6b57ffc8cfea2b5ebfc453dbb824623eafae0f79d6357541f7b2282bf0b54e52");
}

}  // namespace
}  // namespace tally::runtime
