// What the chain knows of a dispute, read with proofs, as JSON and as people read it.
#pragma once

#include "client-sdk/dispute/follow.hpp"
#include "modules/disputes/api.hpp"
#include "tools/cli/proved_state.hpp"

namespace tally::cli {

using disputes::DisputeNumber;

using dispute::DisputeView;

CliResult<DisputeNumber> dispute_number(const std::string& text);
CliResult<disputes::Config> disputes_config(const ProvedState& state);
// A Fault that says since when or how long such a record is kept, when there is none.
CliResult<DisputeView> find_dispute(const ProvedState& state, DisputeNumber number);

Json dispute_json(const DisputeView& dispute);
// The head of it, the seats as a table, and the verdict with who pays what.
void show_dispute(const Session& session, const DisputeView& dispute);

// "verifiers reveal; ends in 8 s"
std::string phase_text(const DisputeView& dispute);
// "0x12ab…", "the input could not be fetched"
std::string vote_text(const disputes::Vote& vote);
// "rejected: the worker's output is wrong"
std::string outcome_text(disputes::Outcome outcome);

}  // namespace tally::cli
