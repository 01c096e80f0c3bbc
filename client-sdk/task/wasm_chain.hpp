// A long computation as a chain of custom_wasm tasks, seen from whoever buys it: what the next
// segment is, and what is known after it. No I/O.
//
//   WasmChain chain = TALLY_TRY(begin_chain(module, arguments));
//   while (!chain.result) { … buy segment(chain, limits) from any worker …
//                           TALLY_TRY(advance(chain, spec, output, price)); }
//
// Between two segments the chain is all that is needed to go on, on any machine: encode_chain() of
// it is what a checkpoint holds.
//
//   "TWCH" ‖ version u8 1 ‖ module ‖ begin ‖ rest ‖ segments u64 ‖ steps u64 ‖ fuel u64 ‖ paid u128
//   rest   the arguments while nothing has run (begin = start), else the snapshot
//   steps  the guest's, since its start; fuel and paid: of all segments, loading included
#pragma once

#include "client-sdk/task/wasm.hpp"
#include "primitives/balance.hpp"

namespace tally::task {

constexpr std::array<std::uint8_t, 4> kChainMagic = {'T', 'W', 'C', 'H'};
constexpr std::uint8_t kChainVersion = 1;

struct WasmChainState {
  std::array<std::uint8_t, 4> magic = kChainMagic;
  std::uint8_t version = kChainVersion;
  Bytes module;
  WasmBegin begin{};
  Bytes rest;
  std::uint64_t segments{};
  std::uint64_t steps{};
  std::uint64_t fuel{};
  Balance paid;
  friend bool operator==(const WasmChainState&, const WasmChainState&) = default;
};
TALLY_DESCRIBE(WasmChainState, magic, version, module, begin, rest, segments, steps, fuel, paid);

struct WasmChain {
  WasmChainState state;
  std::optional<Bytes> result;  // once the guest is done
};

struct SegmentLimits {
  std::uint64_t fuel = 300'000'000;  // some seconds of a worker's time
  std::uint64_t step_fuel = 100'000'000;
  std::uint32_t steps = ~std::uint32_t{0};
};

// The sizes are checked here; the module itself is for the worker to judge.
Result<WasmChain, Error> begin_chain(Bytes module, Bytes arguments);
WasmSpec segment(const WasmChain& chain, const SegmentLimits& limits);
// The output of a segment that was begun at this state.
Result<WasmOutput, Error> advance(WasmChain& chain, const WasmSpec& spec, ByteView output,
                                  Balance price);

Bytes encode_chain(const WasmChain& chain);
// Strict; a snapshot in it holds, and is of its module.
Result<WasmChain, Error> decode_chain(ByteView bytes);

}  // namespace tally::task
