// custom_wasm: a WebAssembly machine that runs in segments. A long computation is a chain of
// ordinary tasks: each runs the machine for a while and gives back either its result or a snapshot,
// from which any worker runs the next one (docs/custom-wasm.md has the guest's side).
//
//   spec    WasmSpec
//   input   the module, then the arguments (start) or a snapshot (resume), nothing else
//   output  SCALE WasmOutput
//
// A segment ends between two steps of the guest, by fuel or by number of steps, never by time, so
// that it is exact. Fuel measures work: a fixed weight an instruction (worker/wasm/cost.hpp), and
// for loading kModuleByteFuel a byte of the module and 1 a byte of what follows it. The price of a
// task is agreed on for the most that it can use, max_fuel(), and paid for what it used.
//
// The snapshot is canonical: one state of a machine has one encoding, whatever segments led to it.
//   "TWSM" ‖ version u8 1 ‖ module hash ‖ steps u64 ‖ fuel u64 ‖ pages u32 ‖ globals ‖ blocks ‖ hash
//   globals  the module's mutable globals in its order
//   blocks   of 4 KiB of the memory, ascending, those that are not all zero
//   hash     blake2_256 of all that stands before it
// Tables are not in it: no instruction that changes one is allowed. Steps and fuel are those of the
// guest since its start, without loading.
#pragma once

#include <array>

#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::task {

constexpr std::uint32_t kMaxWasmModule = 1 << 20;
constexpr std::uint32_t kMaxWasmArguments = 1 << 20;
constexpr std::uint32_t kMaxWasmResult = 8 << 20;
constexpr std::uint32_t kWasmPage = 64 << 10;
constexpr std::uint32_t kMaxWasmPages = 512;  // 32 MiB
constexpr std::uint32_t kMaxWasmGlobals = 1'024;
constexpr std::uint64_t kMaxWasmFuel = 1'000'000'000'000;  // of a segment, and of a step
constexpr std::uint64_t kModuleByteFuel = 32;

constexpr std::size_t kSnapshotBlock = 4 << 10;
constexpr std::size_t kMaxSnapshotBlocks = 2'048;  // 8 MiB that are not zero
constexpr std::size_t kMaxSnapshotBytes = kMaxSnapshotBlocks * (kSnapshotBlock + 4) + (16 << 10);

enum class WasmBegin : std::uint8_t { start = 0, resume = 1 };
TALLY_DESCRIBE_ENUM(WasmBegin, start, resume);

struct WasmSpec {
  Hash module_hash;  // blake2_256
  std::uint32_t module_bytes{};
  WasmBegin begin{};
  std::uint64_t fuel{};       // another step begins while the guest has used less in this segment
  std::uint64_t step_fuel{};  // most that the beginning, or one step, may use: more is a failure
  std::uint32_t steps{};      // most steps of this segment
  friend bool operator==(const WasmSpec&, const WasmSpec&) = default;
};
TALLY_DESCRIBE(WasmSpec, module_hash, module_bytes, begin, fuel, step_fuel, steps);

// Whether spec and input length are within the limits; the error says what was expected and came.
Result<void, Error> check(const WasmSpec& spec, std::size_t input_size);
// What loading costs, and the most that the segment can use in all. The spec has passed check().
std::uint64_t load_fuel(const WasmSpec& spec, std::size_t input_size);
std::uint64_t max_fuel(const WasmSpec& spec, std::size_t input_size);

enum class WasmState : std::uint8_t { running = 0, done = 1 };
TALLY_DESCRIBE_ENUM(WasmState, running, done);

struct WasmOutput {
  WasmState state{};
  std::uint64_t fuel{};   // used by this segment, loading included: what is paid for
  std::uint32_t steps{};  // of this segment
  std::uint64_t total_fuel{};
  std::uint64_t total_steps{};
  Bytes data;  // running: a snapshot; done: the result
  friend bool operator==(const WasmOutput&, const WasmOutput&) = default;
};
TALLY_DESCRIBE(WasmOutput, state, fuel, steps, total_fuel, total_steps, data);

// Of the form that the spec asks for: limits, and for a running machine a snapshot that holds and
// is of this module.
Result<WasmOutput, Error> read_wasm_output(const WasmSpec& spec, std::size_t input_size,
                                           ByteView output);

enum class WasmType : std::uint8_t { i32 = 0, i64 = 1 };
TALLY_DESCRIBE_ENUM(WasmType, i32, i64);

struct SnapshotGlobal {
  WasmType type{};
  std::uint64_t bits{};  // of an i32: below 2³²
  friend bool operator==(const SnapshotGlobal&, const SnapshotGlobal&) = default;
};
TALLY_DESCRIBE(SnapshotGlobal, type, bits);

struct SnapshotBlock {
  std::uint32_t index{};  // of 4 KiB, from 0
  std::array<std::uint8_t, kSnapshotBlock> bytes{};
  friend bool operator==(const SnapshotBlock&, const SnapshotBlock&) = default;
};
TALLY_DESCRIBE(SnapshotBlock, index, bytes);

constexpr std::array<std::uint8_t, 4> kSnapshotMagic = {'T', 'W', 'S', 'M'};
constexpr std::uint8_t kSnapshotVersion = 1;

struct Snapshot {
  std::array<std::uint8_t, 4> magic = kSnapshotMagic;
  std::uint8_t version = kSnapshotVersion;
  Hash module_hash;
  std::uint64_t steps{};
  std::uint64_t fuel{};
  std::uint32_t pages{};
  BoundedVec<SnapshotGlobal, kMaxWasmGlobals> globals;
  BoundedVec<SnapshotBlock, kMaxSnapshotBlocks> blocks;
  Hash hash;
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};
TALLY_DESCRIBE(Snapshot, magic, version, module_hash, steps, fuel, pages, globals, blocks, hash);

// Fills in the hash.
Bytes encode_snapshot(Snapshot snapshot);
// Strict: accepts exactly what encode_snapshot makes of a state. The error says what is wrong.
Result<Snapshot, Error> decode_snapshot(ByteView bytes);

}  // namespace tally::task
