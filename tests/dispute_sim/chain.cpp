#include "tests/dispute_sim/chain.hpp"

#include <stdexcept>

#include "modules/credits/genesis.hpp"
#include "modules/credits/invariants.hpp"
#include "modules/disputes/invariants.hpp"
#include "modules/workers/dispatch.hpp"
#include "modules/workers/genesis.hpp"
#include "modules/workers/invariants.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/events.hpp"

namespace tally::dispute_sim {
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

KeyPair key_of(std::string_view name) {
  return *KeyPair::from_secret(KeyScheme::ed25519, Secret(blake2_256(as_bytes(name)).bytes));
}
AccountId account_of(std::string_view name) {
  return key_of(name).account();
}

TestChain::TestChain(const TestChainOptions& options)
    : options_(options), credits_(credits_config()) {
  configs_.set(options_.disputes);
  configs_.set(options_.workers);
  configs_.set(credits_);
  Overlay overlay(state_);
  credits::GenesisWriter genesis(overlay, credits_);
  for (const auto& [account, balance] : options_.accounts) genesis.endow(account, balance);
  genesis.endow(credits::reward_pool_account(), options_.reward_pool);
  genesis.finish();
  workers::write_genesis(overlay, options_.workers, {});
  disputes::kConfig.put(overlay, options_.disputes);
  state_.apply(overlay.changes());
  block.genesis_hash = blake2_256(as_bytes("dispute test chain"));
  block.number = BlockNumber(1);
  block.time = TimestampMs(1'000'000'000);
  block.header_time = TimestampMs(1'700'000'000'000);
  block.proposer = account_of("proposer");
}

void TestChain::check(const Overlay& overlay, const StateChanges& changes) const {
  const ChangeView view(state_, changes);
  if (const auto broken = credits::find_violation(view, credits_)) throw std::logic_error(*broken);
  if (const auto broken = workers::find_violation(view, overlay, options_.workers)) {
    throw std::logic_error(*broken);
  }
  if (const auto broken = disputes::find_violation(view, overlay, options_.disputes)) {
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
  if (++runs_ % options_.check_every == 0) check(overlay, changes);
  events_.clear();
  const auto records = decode<std::vector<runtime::EventRecord>>(sink.encoded());
  if (!records.ok()) throw std::logic_error("the events do not decode");
  for (const auto& record : *records) {
    if (const auto* event = std::get_if<runtime::DisputesEvent>(&record.event)) {
      events_.push_back(event->value);
    }
  }
  state_.apply(changes);
  return result;
}

DispatchResult TestChain::call(const AccountId& signer, const disputes::Call& call) {
  return run([&](Context& ctx) { return disputes::dispatch(ctx, {signer}, call); });
}
DispatchResult TestChain::call(const AccountId& signer, const workers::Call& call) {
  return run([&](Context& ctx) { return workers::dispatch(ctx, {signer}, call); });
}

void TestChain::apply(const std::function<void(Context&)>& change) {
  const auto result = run([&](Context& ctx) -> DispatchResult {
    change(ctx);
    return {};
  });
  TALLY_ASSERT(result.ok());
}

void TestChain::add_worker(const AccountId& account, Balance stake, task::TaskType type) {
  workers::Profile profile;
  profile.endpoint = "127.0.0.1:9950";
  profile.environment = task::executor_environment();
  TALLY_ASSERT(profile.offers.push_back({type, kCredit, 1'800'000'000'000, 1'000'000}));
  const auto result = call(account, workers::Register{profile, {stake}});
  if (!result.ok()) throw std::logic_error("a test's worker could not register");
}

void TestChain::next_block(DurationMs by) {
  apply([](Context& ctx) { disputes::on_block_end(ctx); });
  block.number = block.number.next();
  block.time = TimestampMs(block.time.value + by.value);
  block.header_time = TimestampMs(block.header_time.value + by.value);
  block.beacon = blake2_256({as_bytes(options_.seed), block.beacon.view()});
  const std::uint32_t number = block.number.value;
  block.draw_ready = BlockNumber(number > draw_delay_ ? number - draw_delay_ : 0);
  apply([](Context& ctx) { disputes::on_block_start(ctx); });
}

void TestChain::pass(DurationMs time, DurationMs step) {
  for (std::uint64_t gone = 0; gone < time.value;) {
    const std::uint64_t by = std::min(step.value, time.value - gone);
    next_block(DurationMs(by));
    gone += by;
  }
}

Balance TestChain::free(const AccountId& account) const {
  return credits::free_balance(state_, account);
}
Balance TestChain::wealth(const AccountId& account) const {
  return credits::total_balance(state_, account);
}
Balance TestChain::issuance() const {
  return credits::total_issuance(state_);
}
Balance TestChain::reward_pool() const {
  return credits::free_balance(state_, credits::reward_pool_account());
}
workers::Worker TestChain::worker(const AccountId& account) const {
  return workers::find(state_, account).value_or(workers::Worker{});
}

}  // namespace tally::dispute_sim
