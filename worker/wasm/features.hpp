// What of WebAssembly a guest may use beyond 1.0. Includes wabt's headers: for .cpp files of this
// folder alone.
#pragma once

#include <wabt/feature.h>

namespace tally::wasm {

// memory.copy and memory.fill come with bulk memory; screen() refuses the rest of it. Extensions
// that are on by default in wabt, and that would change what is valid, are off.
inline wabt::Features guest_features() {
  wabt::Features features;
  features.enable_mutable_globals();
  features.enable_sign_extension();
  features.enable_multi_value();
  features.enable_bulk_memory();
  features.disable_sat_float_to_int();
  features.disable_simd();
  features.disable_reference_types();
  features.disable_threads();
  features.disable_exceptions();
  return features;
}

}  // namespace tally::wasm
