// `tally node`: what a node says of itself. Nothing of it is proved, and it needs no --chain.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/cli/session.hpp"

namespace tally::cli {

void add_node(CLI::App& app, Session& session);

}  // namespace tally::cli
