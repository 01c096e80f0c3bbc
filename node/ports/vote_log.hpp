// The two files on which a validator's promises rest.
//
// VoteLog: append-only records, each length u32 ‖ kind u8 ‖ version u8 ‖ payload ‖ checksum.
// append() buffers; sync() makes all that was appended durable, or ends the process. replay() cuts
// a torn tail (a last record that is not complete); damage before the tail is reported, never
// skipped.
//
// HighWaterFile: two checksummed slots written in turn, synced, so that one is always whole. It
// holds what was signed in the highest view signed in, and lets a start notice that the log lost
// its end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::ports {

struct LogRecord {
  std::uint8_t kind{};
  Bytes payload;
  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

enum class LogState : std::uint8_t {
  missing,  // there is no file
  intact,   // perhaps after a torn tail was cut
  damaged,  // a checksum fails before the tail; `records` are those before it
};

struct LogReplay {
  LogState state{};
  std::vector<LogRecord> records;
};

class VoteLog {
 public:
  virtual ~VoteLog() = default;
  virtual LogReplay replay() = 0;
  virtual void append(LogRecord record) = 0;
  virtual void sync() = 0;
  // Replaces the whole log by these records, atomically and durably.
  virtual void rewrite(std::vector<LogRecord> records) = 0;
};

struct HighWater {
  Epoch epoch;
  View view;                      // the highest signed in
  std::optional<Hash> notarized;  // there
  bool nullified = false;
  std::optional<Hash> finalized;
  friend bool operator==(const HighWater&, const HighWater&) = default;
};
TALLY_DESCRIBE(HighWater, epoch, view, notarized, nullified, finalized);

enum class HighWaterState : std::uint8_t { missing, intact, damaged };  // damaged: no slot is whole

struct HighWaterRead {
  HighWaterState state{};
  HighWater value;  // meaningful when intact
};

class HighWaterFile {
 public:
  virtual ~HighWaterFile() = default;
  virtual HighWaterRead read() = 0;
  virtual void write(const HighWater& value) = 0;  // durable when it returns
};

}  // namespace tally::ports
