// A dispute as blocks carry it: signed extrinsics, fees, the beacon of real headers, deadlines that
// the chain keeps by itself; every invariant after every transaction.
#include <catch2/catch.hpp>

#include "genesis/test_chain.hpp"
#include "modules/channels/signing.hpp"
#include "modules/credits/api.hpp"
#include "modules/disputes/api.hpp"
#include "modules/disputes/ballot.hpp"
#include "modules/disputes/draw.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/workers/api.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::runtime {
namespace {

using genesis::TestChain;

constexpr DurationMs kPeriod(10'000);
const disputes::DisputeNumber kFirst(0);

struct DisputedChain {
  DisputedChain() {
    for (const std::string_view name : genesis::kDevNames) {
      for (const KeyScheme scheme : {KeyScheme::ecdsa, KeyScheme::ed25519}) {
        people.push_back(dev_key(scheme, name));
      }
    }
    workers::Profile profile;
    profile.endpoint = "127.0.0.1:9950";
    profile.environment = task::executor_environment();
    REQUIRE(profile.offers.push_back({task::TaskType::prime_calculation, kCredit, 1, 1}));
    for (std::size_t i = 1; i < people.size(); ++i) {
      apply(people[i], WorkersCall{workers::Register{profile, {Balance(100 * kCredit.micro)}}});
    }
  }

  TransactionResult apply(const KeyPair& key, const RuntimeCall& call) {
    const Nonce nonce = system::kAccount.get(chain.state(), key.account()).nonce;
    auto outcome = chain.add({chain.checked(chain.sign(key, call, {nonce, {}, Era::immortal()}))});
    REQUIRE(outcome.ok());
    const TransactionResult result = outcome->results.at(0);
    INFO((result.error ? to_text(*result.error) : std::string()));
    REQUIRE_FALSE(result.error.has_value());
    return result;
  }

  // The requester is people[0], the worker people[1].
  void challenge() {
    REQUIRE(chain.add({}).ok());  // all were registered before the task began
    task::Receipt receipt;
    receipt.genesis_hash = chain.genesis_hash();
    receipt.worker = people[1].account();
    receipt.requester = people[0].account();
    receipt.channel_id = channels::channel_id_of(
        {receipt.genesis_hash, receipt.requester, receipt.worker, 0, kPeriod});
    receipt.environment = task::executor_environment();
    receipt.spec_hash = blake2_256(ByteView{});
    receipt.input_hash = blake2_256(ByteView{});
    receipt.output_hash = wrong;
    receipt.started_ms = chain.time();
    receipt.finished_ms = chain.time();
    disputes::Challenge call;
    call.receipt = task::sign_receipt(people[1], receipt);
    call.channel = {false, 0, kPeriod};
    call.input = disputes::InlineInput{};
    call.reason = "known answer";
    apply(people[0], DisputesCall{call});
  }
  disputes::Dispute dispute() const { return *disputes::find(chain.state(), kFirst); }
  void pass(disputes::Phase phase, std::uint64_t step_ms) {
    for (int i = 0; i < 100 && dispute().phase == phase; ++i) {
      REQUIRE(chain.add({}, step_ms).ok());
    }
  }
  const KeyPair& key_of(const AccountId& account) const {
    for (const KeyPair& key : people) {
      if (key.account() == account) return key;
    }
    throw std::logic_error("a verifier that nobody knows");
  }

  TestChain chain = TestChain::dev();
  std::vector<KeyPair> people;
  Hash right = blake2_256(as_bytes("right"));
  Hash wrong = blake2_256(as_bytes("wrong"));
};

TEST_CASE("a dispute from challenge to payment in blocks") {
  DisputedChain world;
  world.challenge();
  const BlockNumber asked = world.chain.number();
  // A draw that waits wants blocks, however idle the chain is.
  CHECK(deadline_due(world.chain.state(), TimestampMs(world.chain.time().value + 1)));
  world.pass(disputes::Phase::awaiting_draw, 100);
  REQUIRE(world.dispute().phase == disputes::Phase::commit);
  const disputes::DrawSource source = *world.dispute().draw.source;
  CHECK(source.fixed_in > asked);
  CHECK(source.fixed_in == world.chain.number());
  CHECK(source.beacon == validators::beacon(world.chain.state()));
  const auto pool = disputes::find_pool(world.chain.state(), kFirst);
  CHECK(pool->size() == world.people.size() - 2);
  CHECK(disputes::seats_match_draw(kFirst, world.dispute(), pool->items()));
  CHECK_FALSE(deadline_due(world.chain.state(), TimestampMs(world.chain.time().value + 100)));

  disputes::Salt salt{};
  const disputes::Vote vote = disputes::OutputVote{world.right};
  for (const disputes::Seat& seat : world.dispute().seats) {
    const KeyPair& key = world.key_of(seat.verifier);
    world.apply(key, DisputesCall{disputes::Accept{kFirst}});
    const Hash commitment = disputes::commitment_of({kFirst, seat.verifier, vote, salt});
    world.apply(key, DisputesCall{disputes::Commit{kFirst, commitment}});
  }
  world.pass(disputes::Phase::commit, 100);
  for (const disputes::Seat& seat : world.dispute().seats) {
    world.apply(world.key_of(seat.verifier), DisputesCall{disputes::Reveal{kFirst, vote, salt}});
  }
  world.pass(disputes::Phase::reveal, 100);
  REQUIRE(world.dispute().phase == disputes::Phase::decided);
  CHECK(world.dispute().verdict->outcome == disputes::Outcome::rejected);
  world.pass(disputes::Phase::decided, 1'000);
  REQUIRE(world.dispute().phase == disputes::Phase::ended);
  const disputes::Payouts payouts = *world.dispute().payouts;
  CHECK(payouts.fees == Balance(3 * kCredit.micro));
  CHECK(payouts.award == Balance(10 * kCredit.micro));
  CHECK(payouts.burned == kCredit);
  const auto worker = workers::find(world.chain.state(), world.people[1].account());
  CHECK(worker->is_banned(system::kChainTime.get(world.chain.state())));
  CHECK(worker->own() == Balance(86 * kCredit.micro));
  CHECK(credits::held_total(world.chain.state(), credits::HoldReason::dispute_bond).is_zero());
}

TEST_CASE("a dispute's windows do not pass while the chain stands still") {
  DisputedChain world;
  world.challenge();
  world.pass(disputes::Phase::awaiting_draw, 100);
  const auto seats = world.dispute().seats;
  REQUIRE(world.chain.add({}, 3'600'000).ok());  // an hour without a block
  CHECK(world.dispute().seats == seats);
}

TEST_CASE("whoever has a deadline in a dispute has a part of every block kept for it") {
  const auto lane = [](const disputes::Call& call) {
    return properties(RuntimeCall(DisputesCall{call})).dispatch_class;
  };
  CHECK(lane(disputes::Challenge{}) == DispatchClass::normal);
  CHECK(lane(disputes::Accept{}) == DispatchClass::operational);
  CHECK(lane(disputes::Commit{}) == DispatchClass::operational);
  CHECK(lane(disputes::Reveal{}) == DispatchClass::operational);
  CHECK(lane(disputes::AppealCall{}) == DispatchClass::operational);
}

}  // namespace
}  // namespace tally::runtime
