// Channels as blocks carry them: operational calls, settlements that the chain makes by itself, and
// a refuter without free credits.
#include <catch2/catch.hpp>

#include "genesis/test_chain.hpp"
#include "modules/channels/signing.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"
#include "runtime/events.hpp"

namespace tally::runtime {
namespace {

using genesis::TestChain;

constexpr DurationMs kPeriod(10'000);
constexpr u128 kDeposit = 100'000'000;

// Bob opens to Eve, both ECDSA, with all of Eve's part on his side at first.
class Channel {
 public:
  Channel() {
    id_ = channels::channel_id_of({chain.genesis_hash(), bob.account(), eve.account(), 0, kPeriod});
    apply(bob, channels::Open{eve.account(), {Balance(kDeposit)}, {}, std::nullopt, kPeriod});
  }

  CheckedTransaction tx(const KeyPair& key, const RuntimeCall& call, Balance tip = {}) {
    const Nonce nonce = system::kAccount.get(chain.state(), key.account()).nonce;
    return chain.checked(chain.sign(key, call, {nonce, tip, Era::immortal()}));
  }
  // One block with one call that has to succeed.
  BlockOutcome apply(const KeyPair& key, const channels::Call& call) {
    return apply_tx(tx(key, ChannelsCall{call}));
  }
  BlockOutcome apply_tx(const CheckedTransaction& tx) {
    auto outcome = chain.add({tx});
    REQUIRE(outcome.ok());
    REQUIRE_FALSE(outcome->results.at(0).error.has_value());
    return *std::move(outcome);
  }
  channels::CoSignedState update(std::uint64_t version, u128 to_eve) const {
    channels::ChannelState state;
    state.channel_id = id_;
    state.version = ChannelVersion(version);
    state.balance_a = Balance(kDeposit - to_eve);
    state.balance_b = Balance(to_eve);
    const Bytes bytes = channels::update_bytes(state);
    return {state, bob.sign(bytes), eve.sign(bytes)};
  }
  const ChannelId& id() const { return id_; }
  bool exists() const { return channels::kChannels.contains(chain.state(), id_); }
  Balance free(const KeyPair& key) const {
    return credits::free_balance(chain.state(), key.account());
  }

  TestChain chain = TestChain::dev();
  const KeyPair bob = dev_key(KeyScheme::ecdsa, "Bob");
  const KeyPair eve = dev_key(KeyScheme::ecdsa, "Eve");

 private:
  ChannelId id_;
};

TEST_CASE("the chain settles a challenge by itself in the first block at its deadline") {
  Channel channel;
  channel.apply(channel.bob,
                channels::CloseUnilateral{channel.id(), channel.update(1, 30'000'000)});
  const Balance eve = channel.free(channel.eve);
  CHECK_FALSE(deadline_due(channel.chain.state(),
                           TimestampMs(channel.chain.time().value + kPeriod.value - 200)));
  REQUIRE(channel.chain.add({}, 3'900).ok());
  REQUIRE(channel.chain.add({}, 3'900).ok());
  REQUIRE(channel.exists());
  CHECK(deadline_due(channel.chain.state(), TimestampMs(channel.chain.time().value + 3'900)));
  const auto outcome = channel.chain.add({}, 3'900);
  REQUIRE(outcome.ok());
  CHECK_FALSE(channel.exists());
  CHECK(channel.free(channel.eve) > eve);
  CHECK(credits::held_total(channel.chain.state(), credits::HoldReason::channel).is_zero());
  const auto events = decode<std::vector<EventRecord>>(outcome->events);
  REQUIRE(events.ok());
  REQUIRE_FALSE(events->empty());
  for (const EventRecord& record : *events) CHECK(record.phase == Phase(PhaseInitialization{}));
}

TEST_CASE("a deadline does not pass while the chain stands still") {
  Channel channel;
  channel.apply(channel.bob,
                channels::CloseUnilateral{channel.id(), channel.update(1, 30'000'000)});
  REQUIRE(channel.chain.add({}, 3'600'000).ok());
  CHECK(channel.exists());
}

// Without this a party that put everything into a channel could not defend it.
TEST_CASE("a refuter without free credits owes its fee to the channel") {
  Channel channel;
  channel.apply(channel.bob,
                channels::CloseUnilateral{channel.id(), channel.update(1, 30'000'000)});
  const CheckedTransaction transfer_all =
      channel.tx(channel.eve, CreditsCall{credits::TransferAll{AddressId{channel.bob.account()}}});
  channel.apply_tx(transfer_all);
  REQUIRE(channel.free(channel.eve).is_zero());

  const auto refusal_of = [&](const CheckedTransaction& tx) {
    const auto outcome = channel.chain.add({tx});
    REQUIRE_FALSE(outcome.ok());
    return outcome.error().reason;
  };
  // Nothing but a refutation that succeeds goes without free credits.
  CHECK(refusal_of(channel.tx(channel.eve, SystemCall{system::Remark{}})) ==
        InvalidTransaction::payment);
  const channels::Refute older{channel.update(1, 30'000'000), std::nullopt};
  CHECK(refusal_of(channel.tx(channel.eve, ChannelsCall{older})) == InvalidTransaction::payment);
  channels::Refute forged{channel.update(2, 60'000'000), std::nullopt};
  forged.update.signature_a = forged.update.signature_b;
  CHECK(refusal_of(channel.tx(channel.eve, ChannelsCall{forged})) == InvalidTransaction::payment);

  // Bob's own offer, without a word on what it held co-signed: newer, and no proof of fraud.
  const channels::Refute newer{channel.update(3, 60'000'000), std::nullopt};
  CHECK(refusal_of(channel.tx(channel.eve, ChannelsCall{newer}, Balance(1))) ==
        InvalidTransaction::payment);  // a tip is never owed
  const CheckedTransaction tx = channel.tx(channel.eve, ChannelsCall{newer});
  const TransactionValidator validator(channel.chain.parent());
  CHECK(validator.validate(tx).ok());
  const Balance fee = channel.apply_tx(tx).results[0].fee;
  CHECK(system::kAccount.get(channel.chain.state(), channel.eve.account()).nonce == Nonce(2));
  const Balance issued = credits::total_issuance(channel.chain.state());
  for (int i = 0; i < 8; ++i) REQUIRE(channel.chain.add({}, 3'900).ok());
  CHECK_FALSE(channel.exists());
  // 60 CC, less the settlement fee of 1% of what Eve gained, less the fee that it owed.
  CHECK(to_decimal(channel.free(channel.eve).micro) ==
        to_decimal(60'000'000 - 600'000 - fee.micro));
  CHECK(credits::total_issuance(channel.chain.state()) < issued);
}

}  // namespace
}  // namespace tally::runtime
