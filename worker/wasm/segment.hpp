// Runs one segment of a custom_wasm task (client-sdk/task/wasm.hpp): loads the module, begins or
// restores the machine, takes its steps, and gives its result or a snapshot. Pure computation: the
// same output on every machine.
#pragma once

#include "client-sdk/task/failure.hpp"
#include "client-sdk/task/wasm.hpp"
#include "primitives/bytes.hpp"

namespace tally::wasm {

// The spec has passed task::check for this input. Memory that cannot be had throws std::bad_alloc.
Result<task::WasmOutput, task::TaskFailure> run_segment(const task::WasmSpec& spec, ByteView input);

}  // namespace tally::wasm
