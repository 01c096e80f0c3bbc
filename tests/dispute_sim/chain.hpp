// A chain for tests of disputes: the real modules credits, workers and disputes over a state in
// memory, without headers, signatures of extrinsics or fees. The fixture itself checks, after every
// call and every block,
//   - that a refused call left the state byte for byte as it was;
//   - the invariants of credits, workers and disputes;
//   - that what all accounts own and the total issuance moved alike (an invariant of credits).
// A breach throws std::logic_error. Checks can be thinned out for long simulations.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "modules/credits/api.hpp"
#include "modules/disputes/ballot.hpp"
#include "modules/disputes/dispatch.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/workers/api.hpp"
#include "modules/workers/calls.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::dispute_sim {

// A key by name, the same in every run.
KeyPair key_of(std::string_view name);
AccountId account_of(std::string_view name);

struct TestChainOptions {
  disputes::Config disputes = disputes::local_config();
  workers::Config workers = workers::local_config();
  std::map<AccountId, Balance> accounts;
  Balance reward_pool{1'000'000 * kCredit.micro};
  std::string seed = "a";         // of the beacons
  std::uint32_t check_every = 1;  // of how many calls one is checked
};

class TestChain {
 public:
  explicit TestChain(const TestChainOptions& options);
  TestChain(const TestChain&) = delete;
  TestChain& operator=(const TestChain&) = delete;

  DispatchResult call(const AccountId& signer, const disputes::Call& call);
  DispatchResult call(const AccountId& signer, const workers::Call& call);
  // Registers a worker of this type with this stake; must succeed.
  void add_worker(const AccountId& account, Balance stake,
                  task::TaskType type = task::TaskType::prime_calculation);

  // Ends the block and starts the next one, `by` later.
  void next_block(DurationMs by = DurationMs(100));
  // Blocks until that much time went by.
  void pass(DurationMs time, DurationMs step = DurationMs(500));
  // Draws wait until as many blocks have passed since they were asked for.
  void set_draw_delay(std::uint32_t blocks) { draw_delay_ = blocks; }
  // Anything that is no call: the council, a test's own.
  void apply(const std::function<void(Context&)>& change);

  std::optional<disputes::Dispute> dispute(disputes::DisputeNumber number) const {
    return disputes::find(state_, number);
  }
  Balance free(const AccountId& account) const;
  Balance wealth(const AccountId& account) const;  // free and held
  Balance issuance() const;
  Balance reward_pool() const;
  workers::Worker worker(const AccountId& account) const;
  const MapState& state() const { return state_; }
  const TestChainOptions& options() const { return options_; }
  const disputes::Config& config() const { return options_.disputes; }
  // Of the last call or block, in order.
  const std::vector<disputes::Event>& events() const { return events_; }
  template <class T>
  const T* event() const {
    for (const disputes::Event& candidate : events_) {
      if (const T* found = std::get_if<T>(&candidate)) return found;
    }
    return nullptr;
  }

  BlockContext block;

 private:
  template <class Run>
  DispatchResult run(Run&& run);
  void check(const Overlay& overlay, const StateChanges& changes) const;

  TestChainOptions options_;
  credits::Config credits_;
  ConfigSet configs_;
  MapState state_;
  std::vector<disputes::Event> events_;
  std::uint32_t draw_delay_ = 1;
  std::uint32_t runs_ = 0;
};

}  // namespace tally::dispute_sim
