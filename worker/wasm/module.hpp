// A guest's module, from bytes of a stranger to one that can be run: bounded, screened, validated,
// and rewritten so that it pays for what it does.
//
//   auto module = load_module(bytes);   // the error says what was expected and what came
//
// Accepted is WebAssembly 1.0 without floating point, with sign extension, multi-value, memory.copy
// and memory.fill; one memory, at most one table, no imports and no start function (docs/
// custom-wasm.md says why). Everything else is refused by name before the module is validated.
//
// Rewriting: two mutable globals are added behind the module's own, which it cannot name, since its
// bytes were validated without them. `fuel` (i64): each straight run of instructions subtracts its
// weight (cost.hpp) when it is entered; functions and loops then trap below zero, and so do
// memory.grow, memory.fill and memory.copy, which subtract by size first. `depth` (i32): calls
// count it up and returns down; functions trap above kMaxCallDepth.
#pragma once

#include <string>
#include <vector>

#include "client-sdk/task/wasm.hpp"
#include "primitives/bytes.hpp"
#include "primitives/result.hpp"

namespace tally::wasm {

constexpr std::uint32_t kMaxTypes = 10'000;
constexpr std::uint32_t kMaxParameters = 64;
constexpr std::uint32_t kMaxResults = 16;
constexpr std::uint32_t kMaxFunctions = 20'000;
constexpr std::uint32_t kMaxLocals = 1'024;  // of a function, parameters apart
constexpr std::uint32_t kMaxNesting = 512;   // blocks in blocks
constexpr std::uint32_t kMaxFunctionBytes = 256 << 10;
constexpr std::uint32_t kMaxInstructions = 250'000;  // of all functions
constexpr std::uint32_t kMaxTableElements = 65'536;
constexpr std::uint32_t kMaxCallDepth = 1'000;

struct MutableGlobal {
  std::uint32_t index{};
  task::WasmType type{};
};

// The functions that every guest exports; their types are in docs/custom-wasm.md.
struct EntryPoints {
  std::uint32_t buffer{};
  std::uint32_t init{};
  std::uint32_t step{};
  std::uint32_t result{};
  std::uint32_t result_size{};
};

struct Module {
  Bytes metered;  // the rewritten module
  std::uint32_t pages_min{};
  std::uint32_t pages_max{};
  std::vector<MutableGlobal> globals;  // those of the guest that can change, in its order
  EntryPoints entry;
  std::uint32_t fuel_global{};
  std::uint32_t depth_global{};
};

Result<Module, Error> load_module(ByteView bytes);

}  // namespace tally::wasm
