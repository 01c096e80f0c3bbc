// A chain of this module and credits alone: validators with real keys, blocks by the leader
// schedule, and after every call and block the invariants of both modules. A refused call leaves
// state and events byte for byte as they were.
#pragma once

#include <algorithm>
#include <set>
#include <stdexcept>
#include <type_traits>

#include "modules/credits/fixture.hpp"
#include "modules/validators/errors.hpp"
#include "modules/validators/events.hpp"
#include "modules/validators/genesis.hpp"
#include "modules/validators/invariants.hpp"

namespace tally::validators {

inline constexpr u128 kCC = kCredit.micro;

inline Balance cc(std::uint64_t amount) {
  return Balance(u128{amount} * kCC);
}

inline Secret test_secret(std::uint8_t number, std::uint8_t kind) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(number);
  bytes[0] = kind;
  return Secret(bytes);
}
// Person 1, 2, … has keys and 10⁶ CC; validators of genesis are the first of them.
inline KeySecrets keys_of(int person) {
  const auto number = static_cast<std::uint8_t>(person);
  return {test_secret(number, 1), test_secret(number, 2)};
}
inline AccountId person(int number) {
  return credits::test_account(static_cast<std::uint8_t>(number));
}

inline bool refused(const DispatchResult& result, const DispatchError& error) {
  return !result.ok() && result.error() == error;
}
inline bool refused(const DispatchResult& result, Error error) {
  return refused(result, reject(error));
}

struct FixtureOptions {
  int validators = 4;
  std::uint32_t epoch_length = 4;
  std::uint32_t validators_max = 4;
  int people = 12;
  std::uint32_t delegators_max = 56;
  std::uint64_t bond = 2'000;  // of a genesis validator, in CC
};

class Fixture {
 public:
  explicit Fixture(const FixtureOptions& options = {}) : options_(options) {
    config_ = local_config();
    config_.epoch_length = options.epoch_length;
    config_.validators_max = options.validators_max;
    config_.downtime_views_min = 2;
    config_.delegators_max = options.delegators_max;
    configs_.set(config_);
    configs_.set(credits_);
    block_.genesis_hash.bytes.fill(0x61);
    write_genesis_state();
    if (const auto violation = violation_since(MapState())) throw std::logic_error(*violation);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  const MapState& state() const { return state_; }
  const Config& config() const { return config_; }
  const BlockContext& block() const { return block_; }
  const ValidatorSet& genesis_set() const { return genesis_set_; }
  Epoch epoch() const { return epoch_info(state_).epoch; }
  void absent(int who) { absent_.insert(person(who)); }
  void present(int who) { absent_.erase(person(who)); }
  void pass(DurationMs time) { block_.time = TimestampMs(block_.time.value + time.value); }

  Keys keys(int who) const { return keys_with(who, keys_of(who)); }
  Keys keys_with(int who, const KeySecrets& secrets) const {
    return prove_keys({block_.genesis_hash, person(who)}, secrets);
  }

  DispatchResult call(int who, const Call& call) {
    return in_block([&](Context& ctx) {
      const StateChanges before = ctx.state.changes();
      const Bytes events = ctx.events.encoded();
      const DispatchResult result =
          atomically(ctx, [&] { return dispatch(ctx, Origin{person(who)}, call); });
      if (!result.ok() && (ctx.state.changes() != before || ctx.events.encoded() != events)) {
        throw std::logic_error("a refused call changed something");
      }
      return result;
    });
  }
  DispatchResult bond(int who, Balance amount) { return call(who, Bond{keys(who), {amount}}); }

  // One more block, led by the schedule's next leader that is there.
  std::optional<ValidatorSet> next_block() {
    const EpochInfo info = epoch_info(state_);
    const ValidatorSet set = validator_set(state_);
    LeaderSchedule leaders(set, epoch_seed({block_.genesis_hash, info.epoch, info.randomness}));
    View view = block_.epoch == info.epoch ? block_.view.next() : View(1);
    while (absent_.contains(set.at(leaders.leader(view)).account)) view = view.next();
    return next_block_at(view, set.at(leaders.leader(view)).account);
  }
  std::optional<ValidatorSet> next_block_at(View view, const AccountId& proposer) {
    block_.epoch = epoch_info(state_).epoch;
    block_.number = block_.number.next();
    block_.view = view;
    block_.proposer = proposer;
    block_.time = TimestampMs(block_.time.value + 100);
    VrfOutput output;
    output.bytes.fill(static_cast<std::uint8_t>(block_.number.value));
    block_.beacon = fold_beacon(beacon(state_), output);
    block_.draw_ready = draw_ready(state_, {block_.number, view, proposer});
    return in_block([&](Context& ctx) {
      on_block_start(ctx);
      return on_block_end(ctx);
    });
  }
  // To the first block of the epoch: the blocks of those before it are made.
  void to_epoch(std::uint64_t epoch_number) {
    while (epoch().value < epoch_number) next_block();
  }

  // Two votes of the member `index` of the epoch's set, signed with `who`'s consensus key.
  Evidence evidence(int who, std::uint16_t index, std::uint64_t epoch_number,
                    std::uint64_t view = 1) const {
    const auto vote = [&](VoteKind kind, std::uint8_t hash) {
      Vote out;
      out.statement = {Epoch(epoch_number), kind, View(view), {}};
      if (kind != VoteKind::nullify) out.statement.hash.bytes.fill(hash);
      out.signer = ValidatorIndex(index);
      out.signature =
          ed25519_sign(keys_of(who).consensus, statement_bytes(block_.genesis_hash, out.statement));
      return out;
    };
    return {vote(VoteKind::notarize, 1), vote(VoteKind::notarize, 2)};
  }

  Candidate candidate(int who) const { return find(state_, person(who)).value(); }
  Balance held(int who) const {
    return credits::held_balance(state_, person(who), credits::HoldReason::validator_bond);
  }
  Balance free(int who) const { return credits::free_balance(state_, person(who)); }
  Balance issuance() const { return credits::total_issuance(state_); }
  // Whether the last call or block caused exactly this event.
  template <class E>
  bool caused(const E& event) const {
    EventSink expected;
    expected.emit(kModule, event);
    const Bytes one = expected.encoded();
    const ByteView body = ByteView(one).subspan(1);
    return std::search(events_.begin(), events_.end(), body.begin(), body.end()) != events_.end();
  }
  // The named accounts, as people.
  std::vector<int> people_of(const ValidatorSet& set) const {
    std::vector<int> out;
    for (const Validator& member : set.members) out.push_back(member.account.bytes[0]);
    return out;
  }

 private:
  template <class Run>
  std::invoke_result_t<Run, Context&> in_block(Run&& run) {
    Overlay overlay(state_);
    EventSink sink;
    Context ctx{overlay, block_, sink, configs_};
    auto result = run(ctx);
    const MapState before = state_;
    state_.apply(overlay.changes());
    events_ = sink.encoded();
    if (const auto violation = violation_since(before)) throw std::logic_error(*violation);
    return result;
  }
  Violation violation_since(const MapState& before) const {
    StateChanges changes;
    for (const auto& [key, value] : before.entries()) changes.emplace(key, std::nullopt);
    for (const auto& [key, value] : state_.entries()) changes.insert_or_assign(key, value);
    std::erase_if(changes,
                  [&](const auto& change) { return before.get(change.first) == change.second; });
    const ChangeView view(before, changes);
    if (auto found = credits::find_violation(view, credits_)) return found;
    return validators::find_violation(view, state_, config_);
  }
  void write_genesis_state() {
    Overlay overlay(state_);
    credits::GenesisWriter money(overlay, credits_);
    for (int i = 1; i <= options_.people; ++i) money.endow(person(i), cc(1'000'000));
    for (int i = 1; i <= options_.validators; ++i) {
      const Keys own = keys(i);
      const Validator member{own.consensus_key, own.vrf_key, person(i), options_.bond};
      if (!genesis_set_.members.push_back(member)) throw std::logic_error("too many");
      money.hold(person(i), credits::HoldReason::validator_bond, genesis_bond(member));
    }
    money.finish();
    write_genesis(overlay, config_, genesis_set_, "test");
    state_.apply(overlay.changes());
  }

  FixtureOptions options_;
  Config config_;
  credits::Config credits_ = credits::test_config();
  ConfigSet configs_;
  MapState state_;
  ValidatorSet genesis_set_;
  BlockContext block_;
  Bytes events_;
  std::set<AccountId> absent_;
};

}  // namespace tally::validators
