// What instructions of a guest cost, in fuel. The weights are part of what "exact" means, since fuel
// is in the output. One unit is about one simple instruction of the interpreter.
//
//   constants, locals, comparisons, arithmetic, drop, select, globals   1
//   loads and stores, memory.size, br, if, return                       2
//   division and remainder, br_if                                       3
//   br_table                                                            4
//   call                                                               12
//   call_indirect                                                      16
//   memory.grow, memory.fill, memory.copy                               8, and by size:
//     a grown page 8,192; 16 filled or copied bytes 1
//   block, end, nop, unreachable, else                                  0
// and for the metering itself, which the guest's machine runs too:
//   a straight run of instructions                                      4
//   a loop, each time round                                             5
//   a function, each time it is entered                                10, and 1 a local
//
// Instructions that are not listed here are not allowed: floating point, SIMD, atomics, exceptions,
// tail calls, reference types, and what changes tables or drops segments.
#pragma once

#include <cstdint>
#include <optional>

namespace tally::wasm {

constexpr std::uint32_t kRunFuel = 4;
constexpr std::uint32_t kLoopFuel = 5;
constexpr std::uint32_t kFunctionFuel = 10;
constexpr std::uint32_t kPageFuel = 8'192;      // of memory.grow
constexpr std::uint32_t kBytesPerFuelLog2 = 4;  // of memory.fill and memory.copy

// By prefix byte (0: none) and code; nothing for an instruction that is not allowed.
struct InstructionCode {
  std::uint8_t prefix{};
  std::uint32_t code{};
};
std::optional<std::uint32_t> fuel_of(const InstructionCode& instruction);

}  // namespace tally::wasm
