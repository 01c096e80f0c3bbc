// For tests of calls: accounts with given balances, a block to run calls in, and what must hold
// after every call whatever it was. A refused call leaves state and events byte for byte as they
// were; an applied one keeps the module's invariants. Tests of other modules use it for their
// money.
#pragma once

#include <map>
#include <stdexcept>

#include "modules/credits/api.hpp"
#include "modules/credits/dispatch.hpp"
#include "modules/credits/genesis.hpp"
#include "modules/credits/invariants.hpp"

namespace tally::credits {

inline AccountId test_account(std::uint8_t number) {
  AccountId account;
  account.bytes.fill(number);
  return account;
}

inline Config test_config() {
  Config config;
  config.existential_deposit = Balance(10);
  config.fee_base = Balance(100);
  config.fee_per_byte = Balance(2);
  config.fee_per_weight_ms = Balance(1'000);
  config.debts_max = 3;
  config.multiplier_max = 10;
  config.multiplier_scale_hours = 1'000'000;
  return config;
}

class Fixture {
 public:
  explicit Fixture(const std::map<AccountId, Balance>& accounts,
                   const Config& config = test_config())
      : config_(config) {
    Overlay overlay(genesis_);
    GenesisWriter writer(overlay, config_);
    for (const auto& [account, balance] : accounts) writer.endow(account, balance);
    writer.finish();
    genesis_.apply(overlay.changes());
    configs_.set(config_);
    block_.proposer = test_account(0xEE);
    block_.number = BlockNumber(1);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  Context& ctx() { return ctx_; }
  BlockContext& block() { return block_; }
  Overlay& state() { return state_; }
  const Config& config() const { return config_; }

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
  DispatchResult call(const AccountId& signer, const Call& call) {
    return run([&] { return dispatch(ctx_, Origin{signer}, call); });
  }
  void check() const {
    const StateChanges changes = state_.changes();
    const Violation violation = find_violation(ChangeView(genesis_, changes), config_);
    if (violation) throw std::logic_error(*violation);
  }

  Balance free(const AccountId& account) const { return free_balance(state_, account); }
  Balance held(const AccountId& account) const {
    return system::kAccount.get(state_, account).data.reserved;
  }

 private:
  Config config_;
  MapState genesis_;
  ConfigSet configs_;
  Overlay state_{genesis_};
  BlockContext block_;
  EventSink events_;
  Context ctx_{state_, block_, events_, configs_};
};

}  // namespace tally::credits
