#include "tests/channel_sim/chain.hpp"

#include <stdexcept>

#include "modules/channels/invariants.hpp"
#include "modules/credits/genesis.hpp"
#include "modules/credits/invariants.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/events.hpp"

namespace tally::channel_sim {
namespace {

credits::Config credits_config() {
  credits::Config config;
  config.existential_deposit = kMilliCredit;
  config.fee_base = kMilliCredit;
  config.debts_max = 16;
  config.multiplier_max = 10;
  config.multiplier_scale_hours = 1'000'000;
  return config;
}

}  // namespace

KeyPair key_of(std::string_view name, KeyScheme scheme) {
  const Hash seed = blake2_256(as_bytes(name));
  return *KeyPair::from_secret(scheme, Secret(seed.bytes));
}

TestChain::TestChain(const TestChainOptions& options)
    : options_(options), credits_(credits_config()) {
  configs_.set(options_.channels);
  configs_.set(credits_);
  Overlay overlay(state_);
  credits::GenesisWriter genesis(overlay, credits_);
  for (const auto& [account, balance] : options_.accounts) genesis.endow(account, balance);
  genesis.finish();
  channels::kConfig.put(overlay, options_.channels);
  state_.apply(overlay.changes());
  block.genesis_hash = blake2_256(as_bytes("channel test chain"));
  block.number = BlockNumber(1);
  block.time = TimestampMs(1'000'000);
  block.proposer = key_of("proposer").account();
}

void TestChain::check_invariants(const Overlay& after, const StateChanges& changes) const {
  const ChangeView view(state_, changes);
  if (const auto broken = credits::find_violation(view, credits_)) throw std::logic_error(*broken);
  if (const auto broken = channels::find_violation(view, after, options_.channels)) {
    throw std::logic_error(*broken);
  }
}

template <class Run>
DispatchResult TestChain::run(Run&& run) {
  Overlay overlay(state_);
  EventSink sink;
  Context ctx{overlay, block, sink, configs_};
  const DispatchResult result = atomically(ctx, [&] { return run(ctx); });
  const StateChanges changes = overlay.changes();
  if (!result.ok() && (!changes.empty() || sink.count() != 0)) {
    throw std::logic_error("a refused call left a trace in the state or the events");
  }
  if (options_.invariants) check_invariants(overlay, changes);
  events_.clear();
  const auto records = decode<std::vector<runtime::EventRecord>>(sink.encoded());
  if (!records.ok()) throw std::logic_error("the events do not decode");
  for (const auto& record : *records) {
    if (const auto* event = std::get_if<runtime::ChannelsEvent>(&record.event)) {
      events_.push_back(event->value);
    }
  }
  state_.apply(changes);
  return result;
}

DispatchResult TestChain::call(const AccountId& signer, const channels::Call& call) {
  return run([&](Context& ctx) { return channels::dispatch(ctx, {signer}, call); });
}

std::optional<DispatchError> TestChain::refusal(const AccountId& signer,
                                                const channels::Call& call) {
  const auto result = this->call(signer, call);
  if (result.ok()) return std::nullopt;
  return result.error();
}

DispatchResult TestChain::call_owing(const AccountId& signer, const channels::Call& call,
                                     Balance fee) {
  return run([&](Context& ctx) -> DispatchResult {
    const channels::OwedFee owed{signer, fee};
    if (!channels::may_owe_fee(ctx.state, channels::moment_of(block), owed, call)) {
      return fail(DispatchError(ErrorOther{}));
    }
    channels::owe_fee(ctx, owed, call);
    const auto result = channels::dispatch(ctx, {signer}, call);
    if (!result.ok()) throw std::logic_error("a refutation that may owe its fee was refused");
    return result;
  });
}

void TestChain::next_block(DurationMs by) {
  block.number = block.number.next();
  block.time = TimestampMs(block.time.value + by.value);
  const auto result = run([&](Context& ctx) -> DispatchResult {
    channels::on_block_start(ctx);
    return {};
  });
  TALLY_ASSERT(result.ok());
}

void TestChain::pass(DurationMs time) {
  constexpr std::uint64_t kStep = 500;
  for (std::uint64_t gone = 0; gone < time.value;) {
    const std::uint64_t step = std::min(kStep, time.value - gone);
    next_block(DurationMs(step));
    gone += step;
  }
}

void TestChain::set_free(const AccountId& account, Balance free) {
  Overlay overlay(state_);
  system::AccountInfo info = system::kAccount.get(overlay, account);
  Balance issued = credits::kTotalIssuance.get(overlay);
  issued = *checked_sub(*checked_add(issued, free), info.data.free);
  info.data.free = free;
  info.providers = 1;
  system::kAccount.put(overlay, account, info);
  credits::kTotalIssuance.put(overlay, issued);
  state_.apply(overlay.changes());
}

std::optional<channels::Channel> TestChain::channel(const ChannelId& id) const {
  return channels::kChannels.find(state_, id);
}
Balance TestChain::free(const AccountId& account) const {
  return credits::free_balance(state_, account);
}
Balance TestChain::held(const AccountId& account) const {
  return credits::held_balance(state_, account, credits::HoldReason::channel);
}
Balance TestChain::wealth(const AccountId& account) const {
  return credits::total_balance(state_, account);
}
ChannelId TestChain::id_of_next(const AccountId& opener, const AccountId& counterparty,
                                DurationMs period) const {
  return channels::channel_id_of(
      {block.genesis_hash, opener, counterparty, channels::kCounter.get(state_, opener), period});
}

}  // namespace tally::channel_sim
