// System.Events: what happened in a block, rewritten by every block and read at that block's hash.
#pragma once

#include <vector>

#include "modules/support/storage.hpp"
#include "runtime/call.hpp"

namespace tally::runtime {

struct EventRecord {
  Phase phase;
  RuntimeEvent event;
  std::vector<Hash> topics;  // always empty
  friend bool operator==(const EventRecord&, const EventRecord&) = default;
};
TALLY_DESCRIBE(EventRecord, phase, event, topics);

inline constexpr StorageValue<std::vector<EventRecord>> kEvents{
    "System", "Events", Modifier::with_default, "The events of the block that made this state."};

}  // namespace tally::runtime
