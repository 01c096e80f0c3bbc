// The state as modules see it: an ordered map from storage keys to values, read through StateReader
// and changed only through an Overlay (overlay.hpp).
//
// A reader answers from memory or disk; a failure of the disk is the reader's to handle (it ends
// the process), never a missing key.
#pragma once

#include <map>
#include <optional>

#include "primitives/bytes.hpp"

namespace tally {

class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual std::optional<Bytes> get(ByteView key) const = 0;
};

// What a block changes, in key order: a new value, or nothing for a key that is gone.
using StateChanges = std::map<Bytes, std::optional<Bytes>>;

// A whole state in memory, for genesis, tests and simulation.
class MapState final : public StateReader {
 public:
  MapState() = default;
  explicit MapState(std::map<Bytes, Bytes> entries) : entries_(std::move(entries)) {}

  std::optional<Bytes> get(ByteView key) const override;
  void apply(const StateChanges& changes);
  const std::map<Bytes, Bytes>& entries() const { return entries_; }
  friend bool operator==(const MapState& a, const MapState& b) { return a.entries_ == b.entries_; }

 private:
  std::map<Bytes, Bytes> entries_;
};

}  // namespace tally
