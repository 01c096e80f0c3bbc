// The dispute commands, a file each; dispute.cpp puts them together.
#pragma once

#include "tools/cli/session.hpp"

namespace tally::cli {

void add_dispute_open(CLI::App& dispute, Session& session);
void add_dispute_watch(CLI::App& dispute, Session& session);
void add_dispute_draw(CLI::App& dispute, Session& session);
// Follows one dispute to its end, a line (or JSON value) an event.
CliResult<void> watch_dispute(Session& session, std::uint64_t number);

}  // namespace tally::cli
