// The vote log and the high-water file on a DurableFile.
//
// Log: records one after another,
//   length u32 (of the payload) ‖ kind u8 ‖ version u8 (1) ‖ payload ‖ checksum (8 bytes)
// where checksum = blake2_64("tallystick/log-record/v1" ‖ all before it in the record). Whatever
// follows the last record that holds is a torn tail and is cut, unless a whole record stands in it:
// then something before that record was damaged after it had been synced. A torn end and a damaged
// last record look alike; that a synced record is gone shows in the high-water file.
//
// High-water file: two slots of 256 bytes,
//   counter u64 ‖ length u16 ‖ HighWater (SCALE) ‖ zeros ‖ checksum (8 bytes, likewise tagged)
// written in turn, so that a torn write spoils one and leaves the other. The whole slot with the
// higher counter counts. The file is created with one whole slot.
//
// All integers little endian. What stands in it and when: node/consensus/own_votes.hpp.
#pragma once

#include <memory>

#include "node/ports/vote_log.hpp"
#include "node/store/file.hpp"

namespace tally::store {

constexpr std::size_t kMaxRecordBytes = 8 * 1024 * 1024;
constexpr std::size_t kHighWaterSlotBytes = 256;

Bytes encode_record(const ports::LogRecord& record);

struct ParsedLog {
  ports::LogReplay replay;    // intact or damaged
  std::size_t whole_bytes{};  // where the last record that holds ends
};
ParsedLog parse_log(ByteView bytes);

std::unique_ptr<ports::VoteLog> open_vote_log(std::unique_ptr<DurableFile> file);
std::unique_ptr<ports::HighWaterFile> open_high_water(std::unique_ptr<DurableFile> file);

}  // namespace tally::store
