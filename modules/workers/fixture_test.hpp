// What the module's tests share: accounts with 10,000 CC each, Wanda a worker, Dora and Dan
// delegators, Carl, Cora and Curt the council, and what must hold after every call whatever it was.
// A refused call leaves state and events byte for byte as they were; an applied one keeps the
// invariants of credits and workers.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "modules/credits/api.hpp"
#include "modules/credits/fixture.hpp"
#include "modules/workers/api.hpp"
#include "modules/workers/dispatch.hpp"
#include "modules/workers/errors.hpp"
#include "modules/workers/events.hpp"
#include "modules/workers/genesis.hpp"
#include "modules/workers/invariants.hpp"
#include "modules/workers/storage.hpp"

namespace tally::workers {

using credits::test_account;

inline const AccountId kWanda = test_account(1);
inline const AccountId kWill = test_account(2);
inline const AccountId kDora = test_account(3);
inline const AccountId kDan = test_account(4);
inline const AccountId kCarl = test_account(5);
inline const AccountId kCora = test_account(6);
inline const AccountId kCurt = test_account(7);
inline const AccountId kEve = test_account(8);

constexpr Balance cc(std::uint64_t credits) {
  return Balance(credits * kCredit.micro);
}
constexpr Compact<Balance> compact_cc(std::uint64_t credits) {
  return {cc(credits)};
}

inline std::string text_of(const DispatchResult& result) {
  if (result.ok()) return "applied";
  if (const auto* module = std::get_if<ErrorModule>(&result.error().kind)) {
    if (static_cast<ModuleIndex>(module->index) == ModuleIndex::workers) {
      return std::string(enumerator_name(static_cast<Error>(module->error[0])));
    }
    return "credits";
  }
  return "other";
}

inline Profile profile_of(std::vector<task::TaskType> types = {task::TaskType::prime_calculation}) {
  Profile profile;
  profile.endpoint = "worker.example:9950";
  profile.environment = task::executor_environment();
  for (const task::TaskType type : types) {
    const task::TaskPrice price = task::reference_price(type);
    const bool room = profile.offers.push_back({type, price.price, price.per_units, 500'000'000});
    if (!room) throw std::logic_error("too many types");
  }
  return profile;
}
inline PoolId primes_pool() {
  return {task::TaskType::prime_calculation, task::executor_environment()};
}

struct FixtureOptions {
  Config config = main_config();
  Balance pool = cc(1'000'000);
  Council council{*BoundedVec<AccountId, kMaxCouncil>::from({kCarl, kCora, kCurt}), 2};
  std::uint8_t accounts = 8;
  Balance endowment = cc(10'000);
};

class Fixture {
 public:
  explicit Fixture(const FixtureOptions& options = {}) : config_(options.config) {
    Overlay overlay(genesis_);
    credits::GenesisWriter money(overlay, credits_config_);
    for (std::uint8_t i = 1; i <= options.accounts; ++i) {
      money.endow(test_account(i), options.endowment);
    }
    money.endow(credits::reward_pool_account(), options.pool);
    money.finish();
    write_genesis(overlay, config_, options.council);
    genesis_.apply(overlay.changes());
    configs_.set(credits_config_);
    configs_.set(config_);
    block_.proposer = test_account(0xEE);
    block_.number = BlockNumber(1);
    block_.epoch = Epoch(1);
    pass(DurationMs(0));
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  Context& ctx() { return ctx_; }
  BlockContext& block() { return block_; }
  Overlay& state() { return state_; }
  const Config& config() const { return config_; }

  // Chain time lags behind the header's by an hour here, so that neither passes for the other.
  void pass(DurationMs duration) {
    time_ += duration.value;
    block_.time = TimestampMs(time_);
    block_.header_time = TimestampMs(time_ + 3'600'000);
    block_.number = block_.number.next();
  }

  // Runs anything that is refused or applied as the runtime runs calls.
  template <class Run>
  DispatchResult run(Run&& run) {
    const StateChanges before = state_.changes();
    const Bytes events = events_.encoded();
    const DispatchResult result = atomically(ctx_, std::forward<Run>(run));
    if (!result.ok() && (state_.changes() != before || events_.encoded() != events)) {
      throw std::logic_error("a refused call changed something");
    }
    check();
    return result;
  }
  std::string call(const AccountId& signer, const Call& call) {
    return text_of(run([&] { return dispatch(ctx_, Origin{signer}, call); }));
  }
  // For what cannot fail.
  template <class Act>
  void act(Act&& act) {
    const DispatchResult result = run([&]() -> DispatchResult {
      act(ctx_);
      return {};
    });
    if (!result.ok()) throw std::logic_error("not reached");
  }
  void check() const {
    const StateChanges changes = state_.changes();
    const ChangeView view(genesis_, changes);
    Violation violation = credits::find_violation(view, credits_config_);
    if (!violation) violation = workers::find_violation(view, state_, config_);
    if (violation) throw std::logic_error(*violation);
  }

  std::string join(const AccountId& who, std::uint64_t stake_cc = 100) {
    return call(who, Register{profile_of(), compact_cc(stake_cc)});
  }
  Worker worker(const AccountId& who) const { return find(state_, who).value_or(Worker{}); }
  Delegation delegation(const AccountId& to, const AccountId& by) const {
    return kDelegations.get(state_, to, by);
  }
  std::uint32_t points(const AccountId& who) const {
    return reputation(state_, config_, who, block_.time);
  }
  Balance free(const AccountId& who) const { return credits::free_balance(state_, who); }
  Balance held(const AccountId& who) const {
    return credits::held_balance(state_, who, credits::HoldReason::worker_stake);
  }
  Balance wealth(const AccountId& who) const { return credits::total_balance(state_, who); }
  Balance issued() const { return credits::total_issuance(state_); }
  Balance in_pool() const { return free(credits::reward_pool_account()); }
  // Two members vote.
  void council_slash(const AccountId& who, SlashReason reason) {
    Hash evidence;
    evidence.bytes[0] = ++cases_;
    if (call(kCarl, ApproveSlash{who, reason, evidence}) != "applied" ||
        call(kCora, ApproveSlash{who, reason, evidence}) != "applied") {
      throw std::logic_error("the council was refused");
    }
  }

 private:
  credits::Config credits_config_ = credits::test_config();
  Config config_;
  MapState genesis_;
  ConfigSet configs_;
  Overlay state_{genesis_};
  BlockContext block_;
  EventSink events_;
  Context ctx_{state_, block_, events_, configs_};
  std::uint64_t time_ = 1'800'000'000'000;
  std::uint8_t cases_ = 0;
};

}  // namespace tally::workers
