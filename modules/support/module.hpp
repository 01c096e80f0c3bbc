// The modules of the runtime and their numbers. A number is part of the wire: the first byte of a
// call, of an event and of a module error. Numbers are never reused.
#pragma once

#include <cstdint>
#include <string_view>

#include "primitives/codec/describe.hpp"

namespace tally {

enum class ModuleIndex : std::uint8_t {
  system = 0,
  credits = 1,
  channels = 2,
  workers = 3,
  disputes = 4,
  storage_registry = 5,
  validators = 6,
  timestamp = 7,
};
TALLY_DESCRIBE_ENUM(ModuleIndex, system, credits, channels, workers, disputes, storage_registry,
                    validators, timestamp);

}  // namespace tally
