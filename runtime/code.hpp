// What stands under ":code". There is no Wasm: the value names the native rules, and changes with
// spec_version, as every layout does. Clients ask for its hash at every block and read the metadata
// anew when it changes.
#pragma once

#include <string>
#include <string_view>

#include "primitives/bytes.hpp"
#include "runtime/version.hpp"

namespace tally::runtime {

constexpr std::string_view kCodeKey = ":code";

// "tallystick/<spec version>"
inline Bytes code_identity() {
  return to_bytes(as_bytes("tallystick/" + std::to_string(kSpecVersion)));
}

}  // namespace tally::runtime
