// `tally task run --type custom_wasm` and `tally task resume`: a long computation bought segment by
// segment (client-sdk/task/wasm_chain.hpp), and checkpointed between two of them.
//
// A checkpoint is made when its time has come (--checkpoint-every), on SIGUSR1, when asked to stop
// (Ctrl-C, SIGTERM), when no more can be bought (the worker is gone, the channel is exhausted), and
// before the channel closes; never for a state that the last one has already.
#pragma once

#include "client-sdk/task/wasm_chain.hpp"
#include "tools/cli/requester.hpp"
#include "tools/cli/stores.hpp"

namespace tally::cli {

struct WasmOptions {
  std::string argument;  // text for the guest
  std::string input;     // or a file
  std::string label;     // of the checkpoints; empty: none are made
  std::string every = "1h";
  StoreOptions store;  // that keeps them
  std::uint64_t segment_fuel = task::SegmentLimits{}.fuel;
  std::uint64_t step_fuel = task::SegmentLimits{}.step_fuel;
};

// Options of both commands.
void add_wasm_options(CLI::App& command, WasmOptions& options);

struct WasmJob {
  const RequesterOptions& requester;
  const WasmOptions& options;
};
CliResult<void> run_wasm(Session& session, const WasmJob& job, const std::string& module);
CliResult<void> resume_wasm(Session& session, const WasmJob& job);

}  // namespace tally::cli
