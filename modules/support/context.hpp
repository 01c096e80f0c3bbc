// What a call runs in: the state, the block it is part of, the event list and the parameters.
// Nothing is reached in any other way, so that a call's effect is a function of these and its
// arguments.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "modules/support/error.hpp"
#include "modules/support/events.hpp"
#include "modules/support/overlay.hpp"
#include "primitives/assert.hpp"
#include "primitives/ids.hpp"

namespace tally {

// How much longer deadlines get while the lane for operational calls is busy; 1,000 = as written.
TALLY_STRONG_INT(PeriodStretch, std::uint32_t);  // thousandths, 1,000..4,000

struct BlockContext {
  Hash genesis_hash;
  Hash parent_hash;
  BlockNumber number;
  TimestampMs time;         // chain time, which deadlines count in
  TimestampMs header_time;  // what the header says; for people
  Epoch epoch;
  View view;
  AccountId proposer;
  Hash beacon;  // randomness with this block's VRF output folded in
  PeriodStretch period_stretch{1'000};
  // The newest block c that nobody could foresee any more: the leaders of the blocks since c weigh
  // more than a third, so that one of them is honest (or its time is up: modules/validators). What
  // was asked for in block c is drawn by the beacon of the first block whose draw_ready is at least
  // c. It never falls.
  BlockNumber draw_ready;
};

// Who calls: the account that signed the extrinsic.
struct Origin {
  AccountId signer;
};

// Normal calls leave a share of the block to operational ones: refutations, closes, settlements,
// evidence, commits and reveals.
enum class DispatchClass : std::uint8_t { normal = 0, operational = 1, mandatory = 2 };
TALLY_DESCRIBE_ENUM(DispatchClass, normal, operational, mandatory);

// What is known of a call before it runs.
struct CallProperties {
  Weight weight;  // of the call alone; signature check and bookkeeping are the runtime's
  DispatchClass dispatch_class = DispatchClass::normal;
};

// The modules' parameters. They live in the state (item Config of each module, written at genesis)
// and are decoded once a block; a Config names its module by kModule.
class ConfigSet {
 public:
  template <class Config>
  void set(const Config& config) {
    configs_[static_cast<std::size_t>(Config::kModule)] = &config;
  }
  template <class Config>
  const Config& get() const {
    const void* config = configs_[static_cast<std::size_t>(Config::kModule)];
    TALLY_ASSERT(config != nullptr);
    return *static_cast<const Config*>(config);
  }

 private:
  static constexpr std::size_t kModules = 8;
  std::array<const void*, kModules> configs_{};
};

struct Context {
  Overlay& state;
  const BlockContext& block;
  EventSink& events;
  const ConfigSet& configs;

  template <class Config>
  const Config& config() const {
    return configs.get<Config>();
  }
};

// Runs `call`; when it fails, state and events are what they were before. Nests.
template <class Call>
auto atomically(Context& ctx, Call&& call) {
  StateTransaction transaction(ctx.state);
  const EventSink::Mark events = ctx.events.mark();
  auto result = std::forward<Call>(call)();
  if (result.ok()) {
    transaction.commit();
  } else {
    ctx.events.cut_to(events);
  }
  return result;
}

}  // namespace tally
