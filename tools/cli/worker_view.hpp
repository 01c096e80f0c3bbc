// What the chain knows of a worker, read with proofs, as JSON and as people read it.
#pragma once

#include "modules/workers/api.hpp"
#include "tools/cli/proved_state.hpp"

namespace tally::cli {

struct DelegationView {
  AccountId delegator;
  workers::Delegation delegation;
};

struct WorkerView {
  AccountId account;
  workers::Worker record;
  std::optional<workers::Profile> profile;  // none while it is not registered
  std::optional<workers::Uptime> uptime;
  std::uint32_t penalty{};
  std::uint32_t reputation{};
  workers::Tier tier{};
  std::vector<DelegationView> delegations;  // filled by worker_in_full()
};

CliResult<workers::Config> workers_config(const ProvedState& state);
// Nothing if the account never registered.
std::optional<WorkerView> find_worker(const ProvedState& state, const workers::Config& config,
                                      const AccountId& account);
// The same with its delegators; a Fault that says so when it never registered.
CliResult<WorkerView> worker_in_full(const ProvedState& state, const AccountId& account);

Json worker_json(const WorkerView& worker, const ProvedState& state);
Sheet worker_sheet(const WorkerView& worker, const ProvedState& state);
// "registered", "banned, 30 days left", "left"
std::string worker_standing(const WorkerView& worker, const ProvedState& state);
// "prime_calculation 1 CC per 1800000000000"
std::string offer_text(const workers::Offer& offer);

}  // namespace tally::cli
