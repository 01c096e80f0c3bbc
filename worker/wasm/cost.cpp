#include "worker/wasm/cost.hpp"

#include <algorithm>
#include <array>

namespace tally::wasm {

namespace {

struct Row {
  std::uint8_t prefix;
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t fuel;
};

// WebAssembly core specification, section 5.4, by code.
constexpr std::array kRows = {
    Row{0, 0x00, 0x03, 0},    // unreachable, nop, block, loop
    Row{0, 0x04, 0x04, 2},    // if
    Row{0, 0x05, 0x05, 0},    // else
    Row{0, 0x0b, 0x0b, 0},    // end
    Row{0, 0x0c, 0x0c, 2},    // br
    Row{0, 0x0d, 0x0d, 3},    // br_if
    Row{0, 0x0e, 0x0e, 4},    // br_table
    Row{0, 0x0f, 0x0f, 2},    // return
    Row{0, 0x10, 0x10, 12},   // call
    Row{0, 0x11, 0x11, 16},   // call_indirect
    Row{0, 0x1a, 0x1b, 1},    // drop, select
    Row{0, 0x20, 0x24, 1},    // locals, globals
    Row{0, 0x28, 0x29, 2},    // i32.load, i64.load
    Row{0, 0x2c, 0x37, 2},    // narrow loads; i32.store, i64.store
    Row{0, 0x3a, 0x3e, 2},    // narrow stores
    Row{0, 0x3f, 0x3f, 2},    // memory.size
    Row{0, 0x40, 0x40, 8},    // memory.grow
    Row{0, 0x41, 0x42, 1},    // i32.const, i64.const
    Row{0, 0x45, 0x5a, 1},    // integer comparisons
    Row{0, 0x67, 0x6c, 1},    // i32: clz … mul
    Row{0, 0x6d, 0x70, 3},    // i32: division, remainder
    Row{0, 0x71, 0x7e, 1},    // i32: and … rotr; i64: clz … mul
    Row{0, 0x7f, 0x82, 3},    // i64: division, remainder
    Row{0, 0x83, 0x8a, 1},    // i64: and … rotr
    Row{0, 0xa7, 0xa7, 1},    // i32.wrap_i64
    Row{0, 0xac, 0xad, 1},    // i64.extend_i32
    Row{0, 0xc0, 0xc4, 1},    // sign extension
    Row{0xfc, 0x0a, 0x0b, 8}  // memory.copy, memory.fill
};

}  // namespace

std::optional<std::uint32_t> fuel_of(const InstructionCode& instruction) {
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) {
    return r.prefix == instruction.prefix && instruction.code >= r.first &&
           instruction.code <= r.last;
  });
  if (row == kRows.end()) return std::nullopt;
  return row->fuel;
}

}  // namespace tally::wasm
