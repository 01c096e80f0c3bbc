// A disk in memory for simulators: what was written but not synced can be lost or torn.
//
//   SimDisk disk;
//   { auto store = disk.store(); auto log = disk.vote_log(); … a node runs … }
//   disk.crash(seed);                       // and the node is gone; the objects above too
//   { auto store = disk.store(); … }        // the next start of the node
//
// The store loses a suffix of its unsynced batches, never a part of one, which is what RocksDB's
// write-ahead log gives. A file is hit harder: each 512-byte sector that was written since the last
// sync keeps its old or gets its new content, and a file that grew ends anywhere in between. The
// log and the high-water file are the production code on such files. The same seed does the same
// damage.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "node/ports/store.hpp"
#include "node/ports/vote_log.hpp"
#include "node/store/file.hpp"

namespace tally::store {

struct SimFileState {
  std::optional<Bytes> live;    // what reads see
  std::optional<Bytes> synced;  // what a crash cannot take
  bool dirty = false;
};

class SimDisk {
 public:
  SimDisk() = default;
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // Views of this disk, which must outlive them; one of each at a time.
  std::unique_ptr<ports::Store> store();
  std::unique_ptr<ports::VoteLog> vote_log();
  std::unique_ptr<ports::HighWaterFile> high_water();

  void crash(std::uint64_t seed);

  // The content of the two files, to damage them: flip bits, cut, remove.
  SimFileState& vote_log_file() { return log_; }
  SimFileState& high_water_file() { return high_water_; }
  void flip_log_bit(std::size_t bit);
  // Of a file that is there; what was written stays written, but for that bit.
  static void flip_bit(SimFileState& file, std::size_t bit);
  // The folder of the database is gone; the two files stay.
  void lose_database();
  // What a copy of the whole data folder holds, taken while the node runs or is down.
  class Copy;
  std::shared_ptr<const Copy> copy() const;
  // Puts it in place of what is there; nothing may have this disk open.
  void restore(const Copy& copy);
  // Everything that writes counts here; a fault injector crashes before the write that it picks.
  std::uint64_t writes() const { return writes_; }

 private:
  class StoreView;
  class FileView;
  struct Undo {
    ports::Column column{};
    Bytes key;
    std::optional<Bytes> before;
  };

  struct Less {
    using is_transparent = void;
    bool operator()(ByteView a, ByteView b) const {
      const std::size_t shared = std::min(a.size(), b.size());
      const int order = shared == 0 ? 0 : std::memcmp(a.data(), b.data(), shared);
      return order != 0 ? order < 0 : a.size() < b.size();
    }
  };
  using Table = std::map<Bytes, Bytes, Less>;

  std::array<Table, ports::kColumns> columns_;
  std::vector<std::vector<Undo>> unsynced_;  // one entry a batch, the oldest first
  SimFileState log_;
  SimFileState high_water_;
  std::uint64_t writes_ = 0;
};

}  // namespace tally::store
