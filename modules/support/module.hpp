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

// As it stands in storage keys and metadata.
constexpr std::string_view module_name(ModuleIndex module) {
  switch (module) {
    case ModuleIndex::system:
      return "System";
    case ModuleIndex::credits:
      return "Credits";
    case ModuleIndex::channels:
      return "Channels";
    case ModuleIndex::workers:
      return "Workers";
    case ModuleIndex::disputes:
      return "Disputes";
    case ModuleIndex::storage_registry:
      return "StorageRegistry";
    case ModuleIndex::validators:
      return "Validators";
    case ModuleIndex::timestamp:
      return "Timestamp";
  }
  return "";
}

}  // namespace tally
