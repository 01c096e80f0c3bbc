// What the module's tests share: Alice opens to Bob, Tom watches, Eve and others look on.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "tests/channel_sim/chain.hpp"
#include "tests/channel_sim/signer.hpp"

namespace tally::channels {

using channel_sim::key_of;
using channel_sim::Pair;
using channel_sim::TestChain;

inline std::string text_of(const DispatchError& error) {
  if (const auto* module = std::get_if<ErrorModule>(&error.kind)) {
    const auto index = static_cast<ModuleIndex>(module->index);
    if (index == ModuleIndex::channels) {
      return std::string(enumerator_name(static_cast<Error>(module->error[0])));
    }
    return std::string(module_name(index)) + "." + std::to_string(module->error[0]);
  }
  return "other";
}
inline std::string text_of(const DispatchResult& result) {
  return result.ok() ? "applied" : text_of(result.error());
}

struct World {
  static constexpr DurationMs kPeriod{10'000};
  Pair pair{key_of("alice"), key_of("bob", KeyScheme::ecdsa)};
  AccountId alice = pair.a.account();
  AccountId bob = pair.b.account();
  KeyPair tom_key = key_of("tom");
  AccountId tom = tom_key.account();
  TestChain chain;

  static channel_sim::TestChainOptions options(const Config& config) {
    channel_sim::TestChainOptions out;
    out.channels = config;
    for (const char* name : {"alice", "tom", "eve", "proposer"}) {
      out.accounts[key_of(name).account()] = Balance(1'000 * kCredit.micro);
    }
    out.accounts[key_of("bob", KeyScheme::ecdsa).account()] = Balance(1'000 * kCredit.micro);
    return out;
  }

  explicit World(const Config& config = local_config()) : chain(options(config)) {}

  static Balance cc(std::uint64_t credits) { return Balance(credits * kCredit.micro); }

  std::string run(const AccountId& who, const Call& call) { return text_of(chain.call(who, call)); }

  Open open_call(Balance a, Balance b) const {
    Open call{bob, {a}, {b}, std::nullopt, kPeriod};
    if (!b.is_zero()) {
      const BlockNumber until(chain.block.number.value + 10);
      const OpenConsent consent{chain.id_of_next(alice, bob, kPeriod), a, b, until};
      call.consent = Consent{until, pair.b.sign(open_consent_bytes(consent))};
    }
    return call;
  }
  ChannelId open(Balance a, Balance b) {
    const ChannelId id = chain.id_of_next(alice, bob, kPeriod);
    REQUIRE(run(alice, open_call(a, b)) == "applied");
    return id;
  }
  // A state of a channel that holds 100 CC: what B has, and what its proposer held.
  static ChannelState state(const ChannelId& id, std::uint64_t version, std::uint64_t b_cc,
                            std::uint64_t acked = 0) {
    return {id, ChannelVersion(version), cc(100 - b_cc), cc(b_cc), Hash{},
            0,  ChannelVersion(acked)};
  }
  CloseUnilateral claim_call(const ChannelState& state) const {
    return {state.channel_id, pair.update(state)};
  }
  Refute refute_call(const ChannelState& state) const { return {pair.update(state), std::nullopt}; }
  std::string refute_next_block(const AccountId& who, const Refute& call) {
    chain.next_block();
    return run(who, call);
  }
  // Lets every deadline pass; the chain settles by itself.
  void settle_all() { chain.pass(DurationMs(15 * kPeriod.value)); }
};

template <class T>
const T* find_event(const World& world) {
  for (const Event& event : world.chain.events()) {
    if (const T* found = std::get_if<T>(&event)) return found;
  }
  return nullptr;
}

}  // namespace tally::channels
