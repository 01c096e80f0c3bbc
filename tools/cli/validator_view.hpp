// What the chain knows of validators, as `tally validator` shows it.
#pragma once

#include "modules/validators/api.hpp"
#include "tools/cli/proved_state.hpp"

namespace tally::cli {

CliResult<validators::Config> validators_config(const ProvedState& state);

// When a part may leave: "in 60 s of chain time", or what it waits for.
std::string leaves_text(const ProvedState& state, const validators::Config& config,
                        const validators::Unbonding& part);
Json unbonding_json(const ProvedState& state, const validators::Config& config,
                    const validators::UnbondingList& parts);
// Validator of docs/cli-json.md. Who is in a set and has no candidate was convicted.
Json validator_json(const ProvedState& state, const validators::Config& config,
                    const AccountId& account, const std::optional<validators::Candidate>& one);

CliResult<void> list_validators(Session& session);
CliResult<void> show_validator(Session& session, const AccountId& account);

}  // namespace tally::cli
