// Validators in whole blocks: bonds and evidence as extrinsics, the sets that headers name, and a
// client that follows them from genesis.
#include <catch2/catch.hpp>

#include "genesis/test_chain.hpp"
#include "modules/credits/api.hpp"
#include "primitives/finality/proof.hpp"

namespace tally::runtime {
namespace {

using genesis::TestChain;

KeyPair key_of(std::string_view name) {
  return dev_key(KeyScheme::ecdsa, name);
}

// dev's one validator, Alice, in epochs of three blocks; followed as a light client does.
class World {
 public:
  World() : chain(spec()) {
    genesis_set_ = validators::validator_set(chain.state());
    sets_[1] = sets_[2] = genesis_set_;
  }

  TransactionResult call(std::string_view name, const validators::Call& call) {
    const KeyPair key = key_of(name);
    const Nonce nonce = system::kAccount.get(chain.state(), key.account()).nonce;
    const Bytes bytes = chain.sign(key, RuntimeCall(ValidatorsCall{call}), {nonce, Balance{}});
    const BlockOutcome outcome = add({chain.checked(bytes)});
    return outcome.results[0];
  }
  BlockOutcome add(const std::vector<CheckedTransaction>& txs = {}) {
    const BlockInput input = chain.input();
    const auto outcome = chain.add(txs);
    REQUIRE(outcome.ok());
    if (outcome->named_set) follow(input, *outcome->named_set);
    return *outcome;
  }
  const ValidatorSet& set_of(std::uint64_t epoch) const { return sets_.at(epoch); }

  validators::Keys keys(std::string_view name) const {
    const auto secrets = genesis::dev_validator_secrets(name);
    return validators::prove_keys({chain.genesis_hash(), key_of(name).account()},
                                  {secrets.consensus, secrets.vrf});
  }
  Vote vote(std::string_view name, const Statement& statement) const {
    return {statement, ValidatorIndex(0),
            ed25519_sign(genesis::dev_validator_secrets(name).consensus,
                         statement_bytes(chain.genesis_hash(), statement))};
  }

  TestChain chain;

 private:
  static genesis::ChainSpec spec() {
    auto spec = genesis::preset("dev");
    REQUIRE(spec.ok());
    spec->consensus.epoch_length = 3;
    return *spec;
  }
  // The header of the epoch's last block, made final by the set of its epoch, teaches the set of
  // the epoch after the next to whoever knows the genesis.
  void follow(const BlockInput& input, const ValidatorSet& named) {
    EpochProof proof;
    proof.header.parent_hash = input.parent_hash;
    proof.header.number = {input.number};
    proof.header.digest = {make_consensus_digest(input.consensus), make_set_item(named)};
    const Statement statement{input.consensus.epoch, VoteKind::finalize, input.consensus.view,
                              block_hash(proof.header)};
    const ValidatorSet& set = sets_.at(input.consensus.epoch.value);
    std::vector<Vote> votes;
    for (std::uint16_t i = 0; i < set.size(); ++i) {
      for (const std::string_view name : {"Alice", "Bob"}) {
        Vote made = vote(name, statement);
        if (ed25519_public(genesis::dev_validator_secrets(name).consensus) !=
            set.members[i].consensus_key) {
          continue;
        }
        made.signer = ValidatorIndex(i);
        votes.push_back(made);
      }
    }
    proof.finalization = make_certificate(votes, set);
    const auto learnt = verify_epoch_proof(
        proof, {chain.genesis_hash(), input.consensus.epoch, &set}, input.number);
    REQUIRE(learnt.ok());
    sets_[input.consensus.epoch.value + 2] = *learnt;
  }

  ValidatorSet genesis_set_;
  std::map<std::uint64_t, ValidatorSet> sets_;
};

TEST_CASE("a bond is in the set that the epoch's last header names, and a client learns it") {
  World world;
  CHECK_FALSE(
      world.call("Bob", validators::Bond{world.keys("Bob"), {Balance(20'000 * kCredit.micro)}})
          .error);
  CHECK_FALSE(world.add().named_set);
  CHECK(world.add().named_set);
  REQUIRE(world.set_of(3).size() == 2);
  CHECK(world.set_of(3).members[0].account == key_of("Bob").account());
  CHECK(world.set_of(3).members[0].weight == 20'000);
  CHECK(world.set_of(3).members[1].weight == 10'000);
  while (validators::epoch_info(world.chain.state()).epoch < Epoch(3)) world.add();
  CHECK(validators::validator_set(world.chain.state()) == world.set_of(3));
}

TEST_CASE("evidence in a block takes the bond, pays the reporter, and the next set is another") {
  World world;
  const Balance bond(10'000 * kCredit.micro);
  REQUIRE_FALSE(world.call("Bob", validators::Bond{world.keys("Bob"), {bond}}).error);
  Statement statement{Epoch(1), VoteKind::notarize, View(9), Hash{}};
  statement.hash.bytes.fill(1);
  const Vote first = world.vote("Alice", statement);
  statement.hash.bytes.fill(2);
  const validators::ReportEquivocation report{{first, world.vote("Alice", statement)}};
  CHECK(properties(RuntimeCall(ValidatorsCall{report})).dispatch_class ==
        DispatchClass::operational);
  const AccountId charlie = key_of("Charlie").account();
  const Balance before = credits::free_balance(world.chain.state(), charlie);
  const Balance issued = credits::total_issuance(world.chain.state());
  const TransactionResult result = world.call("Charlie", report);
  REQUIRE_FALSE(result.error);
  const Balance after = credits::free_balance(world.chain.state(), charlie);
  CHECK(after.micro - before.micro == bond.micro / 10 - result.fee.micro);
  const u128 burned_fee = result.fee.micro - result.fee.micro / 2;
  CHECK(issued.micro - credits::total_issuance(world.chain.state()).micro ==
        bond.micro / 10 * 9 + burned_fee);
  world.add();
  REQUIRE(world.set_of(3).size() == 1);
  CHECK(world.set_of(3).members[0].account == key_of("Bob").account());
  // A second report of the same is refused and costs its fee.
  const TransactionResult again = world.call("Dave", report);
  REQUIRE(again.error);
  CHECK(to_text(*again.error) == "Validators.already_reported");
}

TEST_CASE("draw_ready of a lone validator's block is the block below") {
  World world;
  for (int i = 0; i < 7; ++i) {
    world.add();
    const auto window = validators::kDrawWindow.get(world.chain.state());
    CHECK(window.ready.value + 1 == world.chain.number().value);
  }
}

}  // namespace
}  // namespace tally::runtime
