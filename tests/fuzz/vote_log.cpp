#include "node/store/vote_log.hpp"

#include "node/store/sim_disk.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

// Whatever the file holds, the log starts: what it reads can be written again, what it cut is gone,
// and a record that follows is found.
void run_log(ByteView input) {
  const store::ParsedLog parsed = store::parse_log(input);
  TALLY_ASSERT(parsed.whole_bytes <= input.size());
  Bytes again;
  for (const ports::LogRecord& record : parsed.replay.records) {
    append(again, store::encode_record(record));
  }
  TALLY_ASSERT(equal(again, input.first(parsed.whole_bytes)));

  store::SimDisk disk;
  disk.vote_log_file() = {to_bytes(input), to_bytes(input), false};
  const auto log = disk.vote_log();
  if (log->replay().state != ports::LogState::intact) return;
  log->append({42, Bytes{1, 2, 3}});
  log->sync();
  const auto replay = disk.vote_log()->replay();
  TALLY_ASSERT(replay.state == ports::LogState::intact);
  TALLY_ASSERT(replay.records.size() == parsed.replay.records.size() + 1);
}

void run_high_water(ByteView input) {
  store::SimDisk disk;
  disk.high_water_file() = {to_bytes(input), to_bytes(input), false};
  const ports::HighWater mark{Epoch(1), View(2), std::nullopt, true, std::nullopt};
  const auto file = disk.high_water();
  (void)file->read();
  file->write(mark);
  const auto read = disk.high_water()->read();
  TALLY_ASSERT(read.state == ports::HighWaterState::intact && read.value == mark);
}

}  // namespace

void run(ByteView input) {
  run_log(input);
  run_high_water(input);
}

}  // namespace tally::fuzz
