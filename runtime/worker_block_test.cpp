// Workers as blocks carry them: a channel that closes counts and earns, and dealing with oneself
// costs.
#include <catch2/catch.hpp>

#include "genesis/test_chain.hpp"
#include "modules/channels/signing.hpp"
#include "modules/credits/api.hpp"
#include "modules/workers/api.hpp"
#include "modules/workers/storage.hpp"
#include "primitives/task/price.hpp"
#include "runtime/events.hpp"

namespace tally::runtime {
namespace {

using genesis::TestChain;

constexpr DurationMs kPeriod(10'000);

workers::Register registration() {
  workers::Register call;
  call.profile.endpoint = "127.0.0.1:9950";
  call.profile.environment = task::executor_environment();
  const task::TaskPrice price = task::reference_price(task::TaskType::prime_calculation);
  REQUIRE(call.profile.offers.push_back({price.type, price.price, price.per_units, 1}));
  call.stake = {Balance(100 * kCredit.micro)};
  return call;
}

struct Market {
  TestChain chain = TestChain::dev();
  const KeyPair requester = dev_key(KeyScheme::ecdsa, "Bob");
  const KeyPair worker = dev_key(KeyScheme::ecdsa, "Eve");

  CheckedTransaction tx(const KeyPair& key, const RuntimeCall& call) const {
    const Nonce nonce = system::kAccount.get(chain.state(), key.account()).nonce;
    return chain.checked(chain.sign(key, call, {nonce, {}, Era::immortal()}));
  }
  TransactionResult run(const KeyPair& key, const RuntimeCall& call) {
    auto outcome = chain.add({tx(key, call)});
    REQUIRE(outcome.ok());
    return outcome->results.at(0);
  }
  void apply(const KeyPair& key, const RuntimeCall& call) {
    const TransactionResult result = run(key, call);
    CAPTURE(result.error ? to_text(*result.error) : "");
    REQUIRE_FALSE(result.error.has_value());
  }
  // Opens a channel with `paid` and closes it with all of that on the worker's side.
  channels::Close deal(Balance paid, std::uint64_t receipts) {
    const ChannelId id = channels::channel_id_of(
        {chain.genesis_hash(), requester.account(), worker.account(), opened_++, kPeriod});
    apply(requester,
          ChannelsCall{channels::Open{worker.account(), {paid}, {}, std::nullopt, kPeriod}});
    channels::ChannelState state;
    state.channel_id = id;
    state.version = ChannelVersion(1);
    state.balance_b = paid;
    state.receipts_count = receipts;
    const Bytes bytes = channels::close_bytes(state);
    return {{state, requester.sign(bytes), worker.sign(bytes)}};
  }
  // Blocks of two idle intervals each, until so much chain time has passed.
  void pass(DurationMs duration) {
    for (std::uint64_t passed = 0; passed < duration.value; passed += 4'000) {
      REQUIRE(chain.add({}, 4'000).ok());
    }
  }
  workers::Worker record() const {
    return workers::find(chain.state(), worker.account()).value_or(workers::Worker{});
  }
  Balance wealth() const {
    return Balance(credits::total_balance(chain.state(), requester.account()).micro +
                   credits::total_balance(chain.state(), worker.account()).micro);
  }

 private:
  std::uint64_t opened_ = 0;
};

TEST_CASE("a co-operative close counts tasks and grants a reward to a registered worker") {
  Market market;
  market.apply(market.worker, WorkersCall{registration()});
  market.apply(market.requester, ChannelsCall{market.deal(Balance(50 * kCredit.micro), 20)});
  CHECK(market.record().done == 20);
  REQUIRE(market.record().rewards.size() == 1);
  CHECK(market.record().rewards[0].amount == Balance(450'000));  // 9% · 10 of 1% of 50 CC
  CHECK(workers::kTurnover.get(market.chain.state()) == Balance(50 * kCredit.micro));
}

TEST_CASE("a close that is refused counts nothing") {
  Market market;
  market.apply(market.worker, WorkersCall{registration()});
  channels::Close close = market.deal(Balance(50 * kCredit.micro), 20);
  close.close.state.receipts_count = 21;
  CHECK(market.run(market.requester, ChannelsCall{close}).error.has_value());
  CHECK(market.record().done == 0);
  CHECK(market.record().rewards.empty());
}

// One person with both keys, at the curve's highest point: what it owns in all, reward included,
// only falls.
TEST_CASE("dealing with oneself costs more than its reward brings") {
  Market market;
  market.apply(market.worker, WorkersCall{registration()});
  const Balance before = market.wealth();
  const Balance pool = credits::free_balance(market.chain.state(), credits::reward_pool_account());
  market.apply(market.requester, ChannelsCall{market.deal(Balance(1'000 * kCredit.micro), 500)});
  market.pass(DurationMs(70'000));
  market.apply(market.worker, WorkersCall{workers::Heartbeat{}});
  CHECK(market.record().rewards.empty());
  const Balance pool_after =
      credits::free_balance(market.chain.state(), credits::reward_pool_account());
  // Half of the fee of 10 CC came in, 9 CC of reward went out.
  CHECK(pool.micro - pool_after.micro == 4 * kCredit.micro);
  CHECK(before.micro - market.wealth().micro > kCredit.micro);
}

}  // namespace
}  // namespace tally::runtime
