// What the module's tests share: accounts with 10 CC each, of which Ada is the attester, and what
// must hold after every call whatever it was. A refused call leaves state and events byte for byte
// as they were; an applied one keeps the invariants of credits and of the registry.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "modules/credits/api.hpp"
#include "modules/credits/fixture.hpp"
#include "modules/storage_registry/dispatch.hpp"
#include "modules/storage_registry/errors.hpp"
#include "modules/storage_registry/events.hpp"
#include "modules/storage_registry/genesis.hpp"
#include "modules/storage_registry/invariants.hpp"

namespace tally::storage_registry {

using credits::test_account;

inline const AccountId kOlga = test_account(1);
inline const AccountId kOtto = test_account(2);
inline const AccountId kAda = test_account(3);

inline std::string text_of(const DispatchResult& result) {
  if (result.ok()) return "applied";
  if (const auto* module = std::get_if<ErrorModule>(&result.error().kind)) {
    if (static_cast<ModuleIndex>(module->index) == ModuleIndex::storage_registry) {
      return std::string(enumerator_name(static_cast<Error>(module->error[0])));
    }
    return "credits";
  }
  return "other";
}

inline StateHash hash_of(std::uint8_t number) {
  StateHash hash;
  hash.bytes.fill(number);
  return hash;
}

// A call that is in order.
inline RecordCheckpoint record_of(std::string label, std::uint8_t state = 1) {
  return {.label = std::move(label),
          .state_hash = hash_of(state),
          .store = StoreKind::directory,
          .content_id = raw_cid(Bytes{state}).to_text(),
          .size_bytes = {1'000},
          .parent = std::nullopt};
}

struct FixtureOptions {
  Config config = main_config();
  std::uint8_t accounts = 3;
  Balance endowment = Balance(10 * kCredit.micro);
};

class Fixture {
 public:
  explicit Fixture(const FixtureOptions& options = {}) : config_(options.config) {
    Overlay overlay(genesis_);
    credits::GenesisWriter money(overlay, credits_config_);
    for (std::uint8_t i = 1; i <= options.accounts; ++i) {
      money.endow(test_account(i), options.endowment);
    }
    money.finish();
    write_genesis(overlay, config_, *Attesters::from({kAda}));
    genesis_.apply(overlay.changes());
    configs_.set(credits_config_);
    configs_.set(config_);
    block_.proposer = test_account(0xEE);
    block_.number = BlockNumber(7);
    block_.time = TimestampMs(1'000);
    block_.header_time = TimestampMs(2'000);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  // Runs a call as the runtime runs it.
  DispatchResult run(const AccountId& signer, const Call& call) {
    const StateChanges before = state_->changes();
    const Bytes events = events_.encoded();
    Context ctx{*state_, block_, events_, configs_};
    const DispatchResult result =
        atomically(ctx, [&] { return dispatch(ctx, Origin{signer}, call); });
    if (!result.ok() && (state_->changes() != before || events_.encoded() != events)) {
      throw std::logic_error("a refused call changed something");
    }
    check();
    return result;
  }
  std::string call(const AccountId& signer, const Call& call) { return text_of(run(signer, call)); }
  void check() const {
    const StateChanges changes = state_->changes();
    const ChangeView view(genesis_, changes);
    Violation violation = credits::find_violation(view, credits_config_);
    if (!violation) violation = storage_registry::find_violation(view, *state_, config_);
    if (violation) throw std::logic_error(*violation);
  }
  // From here on invariants look at what changes after this.
  void settle_state() {
    genesis_.apply(state_->changes());
    state_ = std::make_unique<Overlay>(genesis_);
  }

  Overlay& state() { return *state_; }
  BlockContext& block() { return block_; }
  const Config& config() const { return config_; }
  std::optional<Checkpoint> checkpoint(const AccountId& owner, std::uint64_t index) const {
    return kCheckpoints.find(*state_, owner, CheckpointIndex(index));
  }
  // The index, or −1 for none.
  std::int64_t latest(const AccountId& owner, const std::string& label) const {
    const auto found = kLatest.find(*state_, owner, label);
    return found ? static_cast<std::int64_t>(found->value) : -1;
  }
  Balance free(const AccountId& who) const { return credits::free_balance(*state_, who); }
  Balance held(const AccountId& who) const {
    return credits::held_balance(*state_, who, credits::HoldReason::storage_deposit);
  }
  Bytes events() const { return events_.encoded(); }

 private:
  credits::Config credits_config_ = credits::test_config();
  Config config_;
  MapState genesis_;
  ConfigSet configs_;
  std::unique_ptr<Overlay> state_ = std::make_unique<Overlay>(genesis_);
  BlockContext block_;
  EventSink events_;
};

}  // namespace tally::storage_registry
