#include "client-sdk/channel/journal.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "client-sdk/channel/planted.hpp"
#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channel {
namespace {

constexpr std::string_view kFileMagic = "TALLYJ01";
constexpr std::string_view kFrameMagic = "TJFR";
constexpr std::size_t kHead = 16;  // magic, length, sequence
constexpr std::size_t kCheck = 16;
constexpr std::string_view kMarkMagic = "TJOK";
constexpr std::size_t kMark = 28;  // magic, sequence, check
constexpr std::size_t kPayloadMax = 64U << 20;
// A batch is split into frames of about this size: one above kPayloadMax could not be read back.
constexpr std::size_t kPayloadAim = 1U << 20;
// A file is rewritten when it is at least this long and mostly dead.
constexpr std::size_t kCompactFrom = 4U << 20;
constexpr std::size_t kCompactRatio = 4;

Hash check_of(ByteView length_and_sequence, ByteView payload) {
  return blake2_256({length_and_sequence, payload});
}

Bytes frame_of(std::uint64_t sequence, const Journal::Entries& batch) {
  const Bytes payload = encode(batch);
  Bytes out = to_bytes(as_bytes(kFrameMagic));
  append(out, encode(static_cast<std::uint32_t>(payload.size())));
  append(out, encode(sequence));
  const Hash check = check_of(ByteView(out).subspan(kFrameMagic.size()), payload);
  append(out, payload);
  append(out, check.view().first(kCheck));
  return out;
}

// Each entry is whole in one frame; entries of one batch need no more than that.
Bytes frames_of(std::uint64_t& sequence, const Journal::Entries& batch) {
  Bytes out;
  Journal::Entries part;
  std::size_t size = 0;
  for (const auto& [key, value] : batch) {
    TALLY_ASSERT(value.size() < kPayloadMax / 2);
    if (!part.empty() && size + value.size() > kPayloadAim) {
      append(out, frame_of(sequence++, std::exchange(part, {})));
      size = 0;
    }
    part.emplace(key, value);
    size += value.size();
  }
  if (!part.empty()) append(out, frame_of(sequence++, part));
  return out;
}

Bytes mark_of(std::uint64_t sequence) {
  Bytes out = to_bytes(as_bytes(kMarkMagic));
  append(out, encode(sequence));
  append(out, blake2_256(out).view().first(kCheck));
  return out;
}

// The sequence that a mark at this place says was safe.
std::optional<std::uint64_t> mark_at(ByteView file, std::size_t offset) {
  const ByteView rest = file.subspan(offset);
  if (rest.size() < kMark) return std::nullopt;
  const auto sequence = decode<std::uint64_t>(rest.subspan(kMarkMagic.size(), 8));
  if (!equal(rest.first(kMark), mark_of(*sequence))) return std::nullopt;
  return *sequence;
}

struct Frame {
  std::uint64_t sequence;
  Journal::Entries batch;
  std::size_t size;
};

std::optional<Frame> frame_at(ByteView file, std::size_t offset) {
  const ByteView rest = file.subspan(offset);
  if (rest.size() < kHead + kCheck) return std::nullopt;
  if (!equal(rest.first(kFrameMagic.size()), as_bytes(kFrameMagic))) return std::nullopt;
  const auto length = decode<std::uint32_t>(rest.subspan(4, 4));
  const auto sequence = decode<std::uint64_t>(rest.subspan(8, 8));
  if (*length > kPayloadMax || rest.size() < kHead + *length + kCheck) return std::nullopt;
  const ByteView payload = rest.subspan(kHead, *length);
  const Hash check = check_of(rest.subspan(4, 12), payload);
  if (!equal(rest.subspan(kHead + *length, kCheck), check.view().first(kCheck))) {
    return std::nullopt;
  }
  auto batch = decode<Journal::Entries>(payload);
  if (!batch.ok()) return std::nullopt;
  return Frame{*sequence, *std::move(batch), kHead + *length + kCheck};
}

// Whether anything stands behind this place that was written after what should stand here.
bool good_after(ByteView file, std::size_t offset, std::uint64_t sequence) {
  const ByteView magic = as_bytes(kFrameMagic).first(2);  // the two magics begin alike
  auto at = file.begin() + static_cast<std::ptrdiff_t>(offset);
  while ((at = std::search(at, file.end(), magic.begin(), magic.end())) != file.end()) {
    const auto place = static_cast<std::size_t>(at - file.begin());
    if (frame_at(file, place)) return true;
    const auto mark = mark_at(file, place);
    if (mark && *mark >= sequence) return true;
    ++at;
  }
  return false;
}

Failure<Error> damaged(std::size_t offset, const std::string& what) {
  return fail_with("the journal is damaged at byte " + std::to_string(offset) + ": " + what +
                   ". A crash does not do that. Restore the channels from a backup, or ask the "
                   "peers; do not go on with this file");
}

}  // namespace

Result<Journal, Error> Journal::open(std::unique_ptr<JournalFile> file) {
  Journal journal(std::move(file));
  TALLY_TRY(journal.load());
  return journal;
}

Result<void, Error> Journal::load() {
  const Bytes bytes = TALLY_TRY(file_->read());
  const ByteView magic = as_bytes(kFileMagic);
  if (bytes.size() < magic.size()) {
    // Died while making the file: nothing was ever promised.
    if (!equal(bytes, magic.first(bytes.size()))) return damaged(0, "this is no channel journal");
    TALLY_TRY(file_->replace(magic));
    size_ = magic.size();
    return {};
  }
  if (!equal(ByteView(bytes).first(magic.size()), magic)) {
    return damaged(0, "this is no channel journal");
  }
  std::size_t offset = magic.size();
  while (offset < bytes.size()) {
    if (const auto mark = mark_at(bytes, offset); mark && *mark + 1 == next_sequence_) {
      offset += kMark;
      continue;
    }
    auto frame = frame_at(bytes, offset);
    if (!frame) {
      // A mark that a crash garbled says nothing, and nothing is lost with it.
      const bool behind_mark = bytes.size() > offset + kMark;
      if (const auto next = behind_mark ? frame_at(bytes, offset + kMark) : std::nullopt;
          next && next->sequence == next_sequence_) {
        offset += kMark;
        continue;
      }
      if (good_after(bytes, offset + 1, next_sequence_)) {
        return damaged(offset, "a record is broken that was once written whole");
      }
      TALLY_TRY(file_->cut(offset));
      tail_was_cut_ = true;
      break;
    }
    if (frame->sequence != next_sequence_) {
      return damaged(offset, "record " + std::to_string(next_sequence_) + " was expected, record " +
                                 std::to_string(frame->sequence) + " came");
    }
    ++next_sequence_;
    apply(frame->batch);
    offset += frame->size;
  }
  size_ = offset;
  return {};
}

void Journal::apply(const Entries& batch) {
  for (const auto& [key, value] : batch) {
    if (const auto old = entries_.find(key); old != entries_.end()) {
      live_size_ -= old->second.size();
      entries_.erase(old);
    }
    if (value.empty()) continue;
    live_size_ += value.size();
    entries_.emplace(key, value);
  }
}

Result<void, Error> Journal::write(const Entries& batch) {
  if (batch.empty()) return {};
  std::uint64_t sequence = next_sequence_;
  const Bytes frames = frames_of(sequence, batch);
  TALLY_TRY(file_->append(frames));
  if (!planted(Fault::journal_without_sync)) TALLY_TRY(file_->sync());
  const Bytes mark = mark_of(sequence - 1);
  TALLY_TRY(file_->append(mark));
  next_sequence_ = sequence;
  size_ += frames.size() + mark.size();
  apply(batch);
  return compact_if_large();
}

Result<void, Error> Journal::compact_if_large() {
  if (size_ < kCompactFrom || size_ / kCompactRatio < live_size_) return {};
  Bytes whole = to_bytes(as_bytes(kFileMagic));
  std::uint64_t sequence = 0;
  append(whole, frames_of(sequence, entries_));
  if (sequence > 0) append(whole, mark_of(sequence - 1));
  TALLY_TRY(file_->replace(whole));
  next_sequence_ = sequence;
  size_ = whole.size();
  return {};
}

}  // namespace tally::channel
