#include "modules/support/state.hpp"

namespace tally {

std::optional<Bytes> MapState::get(ByteView key) const {
  const auto found = entries_.find(to_bytes(key));
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

void MapState::apply(const StateChanges& changes) {
  for (const auto& [key, value] : changes) {
    if (value) {
      entries_[key] = *value;
    } else {
      entries_.erase(key);
    }
  }
}

}  // namespace tally
