#include "node/store/vote_log.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"

namespace tally::store {
namespace {

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::size_t kHeadBytes = 6;
constexpr std::size_t kChecksumBytes = 8;

std::array<std::uint8_t, 8> checksum(std::string_view thing, ByteView bytes) {
  Bytes input = domain_tag(thing);
  append(input, bytes);
  return blake2_64(input);
}

std::uint32_t length_at(ByteView bytes) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  return length;
}

// The record at the front, if it holds; `size` is what it takes.
std::optional<ports::LogRecord> record_at(ByteView bytes, std::size_t& size) {
  if (bytes.size() < kHeadBytes + kChecksumBytes) return std::nullopt;
  const std::size_t length = length_at(bytes);
  if (length > kMaxRecordBytes || length > bytes.size() - kHeadBytes - kChecksumBytes) {
    return std::nullopt;
  }
  if (bytes[5] != kRecordVersion) return std::nullopt;
  const ByteView covered = bytes.first(kHeadBytes + length);
  if (!equal(checksum("log-record", covered), bytes.subspan(covered.size(), kChecksumBytes))) {
    return std::nullopt;
  }
  size = covered.size() + kChecksumBytes;
  return ports::LogRecord{bytes[4], to_bytes(covered.subspan(kHeadBytes))};
}

bool holds_a_record(ByteView bytes) {
  std::size_t size = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (record_at(bytes.subspan(at), size)) return true;
  }
  return false;
}

class FileVoteLog final : public ports::VoteLog {
 public:
  explicit FileVoteLog(std::unique_ptr<DurableFile> file) : file_(std::move(file)) {}

  ports::LogReplay replay() override {
    buffer_.clear();
    const std::optional<Bytes> bytes = file_->read();
    if (!bytes) return {ports::LogState::missing, {}};
    ParsedLog parsed = parse_log(*bytes);
    if (parsed.replay.state == ports::LogState::intact && parsed.whole_bytes < bytes->size()) {
      file_->truncate(parsed.whole_bytes);
    }
    return std::move(parsed.replay);
  }

  void append(ports::LogRecord record) override { tally::append(buffer_, encode_record(record)); }

  void sync() override {
    if (buffer_.empty()) return;
    file_->append(buffer_);
    file_->sync();
    buffer_.clear();
  }

  void rewrite(std::vector<ports::LogRecord> records) override {
    Bytes content;
    for (const ports::LogRecord& record : records) tally::append(content, encode_record(record));
    buffer_.clear();
    file_->replace(content);
  }

 private:
  std::unique_ptr<DurableFile> file_;
  Bytes buffer_;
};

struct SlotContent {
  std::uint64_t counter{};
  ports::HighWater value;
};
TALLY_DESCRIBE(SlotContent, counter, value);

class SlotFile final : public ports::HighWaterFile {
 public:
  explicit SlotFile(std::unique_ptr<DurableFile> file) : file_(std::move(file)) {}

  ports::HighWaterRead read() override {
    const std::optional<Bytes> bytes = file_->read();
    exists_ = bytes.has_value();
    if (!bytes) return {ports::HighWaterState::missing, {}};
    std::optional<SlotContent> newest;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto slot = slot_in(*bytes, i);
      if (slot && (!newest || slot->counter > newest->counter)) newest = slot;
    }
    // Nobody can say which slot was newer: the next write starts the file afresh.
    if (!newest) exists_ = false;
    counter_ = newest ? newest->counter : 0;
    loaded_ = true;
    if (!newest) return {ports::HighWaterState::damaged, {}};
    return {ports::HighWaterState::intact, newest->value};
  }

  void write(const ports::HighWater& value) override {
    if (!loaded_) (void)read();
    ++counter_;
    const Bytes slot = encode_slot({counter_, value});
    if (!exists_) {
      Bytes content(2 * kHighWaterSlotBytes);
      std::copy(slot.begin(), slot.end(), content.begin() + offset_of(counter_));
      file_->replace(content);
    } else {
      file_->write_at(offset_of(counter_), slot);
      file_->sync();
    }
    exists_ = true;
    loaded_ = true;
  }

 private:
  static std::size_t offset_of(std::uint64_t counter) { return counter % 2 * kHighWaterSlotBytes; }

  static Bytes encode_slot(const SlotContent& content) {
    const Bytes value = encode(content);
    TALLY_ASSERT(value.size() + 2 + kChecksumBytes <= kHighWaterSlotBytes);
    Encoder out;
    encode_to(out, static_cast<std::uint16_t>(value.size()));
    out.raw(value);
    Bytes slot = std::move(out).take();
    slot.resize(kHighWaterSlotBytes - kChecksumBytes);
    append(slot, checksum("high-water", slot));
    return slot;
  }

  static std::optional<SlotContent> slot_in(ByteView file, std::size_t index) {
    if (file.size() != 2 * kHighWaterSlotBytes) return std::nullopt;
    const ByteView slot = file.subspan(index * kHighWaterSlotBytes, kHighWaterSlotBytes);
    const ByteView covered = slot.first(kHighWaterSlotBytes - kChecksumBytes);
    if (!equal(checksum("high-water", covered), slot.last(kChecksumBytes))) return std::nullopt;
    const std::size_t length = covered[0] | covered[1] << 8;
    if (length > covered.size() - 2) return std::nullopt;
    auto content = decode<SlotContent>(covered.subspan(2, length));
    if (!content.ok() || content->counter % 2 != index) return std::nullopt;
    return *content;
  }

  std::unique_ptr<DurableFile> file_;
  std::uint64_t counter_ = 0;
  bool exists_ = false;
  bool loaded_ = false;
};

}  // namespace

Bytes encode_record(const ports::LogRecord& record) {
  TALLY_ASSERT(record.payload.size() <= kMaxRecordBytes);
  Encoder out;
  out.reserve(kHeadBytes + record.payload.size() + kChecksumBytes);
  encode_to(out, static_cast<std::uint32_t>(record.payload.size()));
  out.byte(record.kind);
  out.byte(kRecordVersion);
  out.raw(record.payload);
  out.raw(checksum("log-record", out.bytes()));
  return std::move(out).take();
}

ParsedLog parse_log(ByteView bytes) {
  ParsedLog out;
  out.replay.state = ports::LogState::intact;
  std::size_t size = 0;
  while (auto record = record_at(bytes.subspan(out.whole_bytes), size)) {
    out.replay.records.push_back(std::move(*record));
    out.whole_bytes += size;
  }
  if (holds_a_record(bytes.subspan(out.whole_bytes))) out.replay.state = ports::LogState::damaged;
  return out;
}

std::unique_ptr<ports::VoteLog> open_vote_log(std::unique_ptr<DurableFile> file) {
  return std::make_unique<FileVoteLog>(std::move(file));
}

std::unique_ptr<ports::HighWaterFile> open_high_water(std::unique_ptr<DurableFile> file) {
  return std::make_unique<SlotFile>(std::move(file));
}

}  // namespace tally::store
