// A journal of small records that must survive: for each 32-byte key its newest value.
//
//   file   "TALLYJ01" ‖ (frame | mark)…
//   frame  "TJFR" ‖ length u32 ‖ sequence u64 ‖ payload ‖ the first 16 bytes of
//          blake2_256(length ‖ sequence ‖ payload); payload = SCALE(Vec<Entry>)
//   mark   "TJOK" ‖ sequence u64 ‖ the first 16 bytes of blake2_256("TJOK" ‖ sequence)
//
// A batch is one frame and one sync, so that its entries land together or not at all, and at most
// one frame was under way when a process died. On start an unfinished last frame is cut. The mark
// is written after the sync, and not synced itself: it says that this frame was safe, so that one
// which broke later is not taken for one that was never finished.
//
// Damage in front of a good frame or of its own mark, or a sequence with a gap, is not a crash but
// a broken file: opening it is refused, because a party that goes on with old records signs
// versions twice. A file that was cut short at an earlier frame cannot be told from one that ended
// there: a party finds that out from its peer (party.hpp, rule 5).
//
// Contract: one Journal a file, one thread. A write that fails leaves the file in an unknown state:
// the caller ends the process (driver.cpp).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::channel {

TALLY_STRONG_BYTES(JournalKey, 32);

// The file below a journal: bytes that only grow, or are replaced whole.
class JournalFile {
 public:
  virtual ~JournalFile() = default;
  virtual Result<Bytes, Error> read() = 0;
  // What was appended is safe only after sync().
  virtual Result<void, Error> append(ByteView bytes) = 0;
  virtual Result<void, Error> sync() = 0;
  // Drops everything from `size` on, safely.
  virtual Result<void, Error> cut(std::size_t size) = 0;
  // Puts other content in place: after a crash the file is the old one or the new one.
  virtual Result<void, Error> replace(ByteView whole) = 0;
};

// The file `journal` in a folder, made if need be (mode 0700). The folder is locked: a second
// process, or a second journal, is refused.
Result<std::unique_ptr<JournalFile>, Error> open_journal_file(const std::filesystem::path& folder);

class Journal {
 public:
  using Entries = std::map<JournalKey, Bytes>;

  static Result<Journal, Error> open(std::unique_ptr<JournalFile> file);

  const Entries& entries() const { return entries_; }
  // Synced when it returns. An empty value forgets the key.
  Result<void, Error> write(const Entries& batch);
  // Whether the last process died in the middle of a write.
  bool tail_was_cut() const { return tail_was_cut_; }

 private:
  explicit Journal(std::unique_ptr<JournalFile> file) : file_(std::move(file)) {}
  Result<void, Error> load();
  void apply(const Entries& batch);
  Result<void, Error> compact_if_large();

  std::unique_ptr<JournalFile> file_;
  Entries entries_;
  std::uint64_t next_sequence_ = 0;
  std::size_t size_ = 0;
  std::size_t live_size_ = 0;
  bool tail_was_cut_ = false;
};

}  // namespace tally::channel
