// A worker's place on the chain: registered as its configuration says, and seen every hour.
//
// What is missing is submitted at the start: `register`, `update` where the profile differs,
// `top_up` where less is bonded than asked for. Never `unstake` or `deregister`: stake is taken
// back by hand. Then a heartbeat for every interval of the chain's parameter; one that could not be
// sent is sent as soon as the node answers again.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "client-sdk/chain/submitter.hpp"
#include "modules/workers/calls.hpp"
#include "modules/workers/config.hpp"

namespace tally::worker {

struct Registration {
  workers::Profile profile;
  Balance stake;  // bonded, at least
};

// What has to be submitted, in order, for the chain to have it so. Measured speeds alone are no
// reason for an update.
std::vector<workers::Call> registration_calls(const Registration& wanted,
                                              const std::optional<workers::Worker>& worker,
                                              const std::optional<workers::Profile>& profile);

// Whether a heartbeat at this chain time would count.
bool heartbeat_is_due(const std::optional<workers::Uptime>& uptime, TimestampMs chain_time,
                      DurationMs interval);

class Presence {
 public:
  using Tell = std::function<void(bool warning, const std::string&)>;

  // Returns once the chain has the registration; the error says what the chain refused.
  static Result<std::unique_ptr<Presence>, Error> start(const Registration& wanted,
                                                        client::Submitter& submitter,
                                                        const Tell& tell,
                                                        const std::stop_token& stop);
  ~Presence();

 private:
  struct State;
  explicit Presence(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::worker
