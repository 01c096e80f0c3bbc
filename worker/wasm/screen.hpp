// The first look at a guest's module: its form and its limits, in one pass that allocates nothing
// by a count that the module states.
#pragma once

#include "primitives/bytes.hpp"
#include "primitives/result.hpp"

namespace tally::wasm {

// The module without its custom sections (names, debug information), which nothing here reads. The
// error tells what is no WebAssembly module at all.
Result<Bytes, Error> strip_custom_sections(ByteView module);

// The error names the first thing in the module that is not allowed, or beyond its limit.
Result<void, Error> screen(ByteView stripped);

}  // namespace tally::wasm
