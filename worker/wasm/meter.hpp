// Rewrites a validated module so that it pays for what it does: module.hpp says how. Includes
// wabt's headers: for .cpp files of this folder alone.
#pragma once

#include <wabt/ir.h>

namespace tally::wasm {

struct MeterGlobals {
  wabt::Index fuel{};
  wabt::Index depth{};
};

// The module has passed screen() and validation.
MeterGlobals add_metering(wabt::Module& module);

}  // namespace tally::wasm
