#include "tests/channel_sim/disk.hpp"

#include "primitives/assert.hpp"

namespace tally::channel_sim {

class SimDisk::File final : public channel::JournalFile {
 public:
  explicit File(SimDisk& disk) : disk_(disk), generation_(disk.generation_) {}
  ~File() override {
    if (!alive()) return;
    disk_.locked_ = false;
    // A process that ends leaves the machine on: what it wrote gets to the disk.
    tally::append(disk_.synced_, disk_.unsynced_);
    disk_.unsynced_.clear();
  }
  Result<Bytes, Error> read() override {
    TALLY_ASSERT(alive());
    Bytes out = disk_.synced_;
    tally::append(out, disk_.unsynced_);
    return out;
  }
  Result<void, Error> append(ByteView bytes) override {
    TALLY_ASSERT(alive());
    disk_.fuse_.burn(Mark::crash_before_sync);
    tally::append(disk_.unsynced_, bytes);
    disk_.fuse_.burn(Mark::crash_torn_write);
    return {};
  }
  Result<void, Error> sync() override {
    TALLY_ASSERT(alive());
    tally::append(disk_.synced_, disk_.unsynced_);
    disk_.unsynced_.clear();
    disk_.fuse_.burn(Mark::crash_after_sync);
    return {};
  }
  Result<void, Error> cut(std::size_t size) override {
    TALLY_TRY(sync());
    disk_.synced_.resize(size);
    disk_.fuse_.burn(Mark::crash_in_recovery);
    return {};
  }
  Result<void, Error> replace(ByteView whole) override {
    TALLY_ASSERT(alive());
    disk_.fuse_.burn(Mark::crash_in_recovery);
    disk_.synced_ = to_bytes(whole);
    disk_.unsynced_.clear();
    disk_.fuse_.burn(Mark::crash_in_recovery);
    return {};
  }

 private:
  bool alive() const { return generation_ == disk_.generation_; }
  SimDisk& disk_;
  std::uint64_t generation_;
};

Result<std::unique_ptr<channel::JournalFile>, Error> SimDisk::open() {
  if (locked_) return fail_with("another journal is open on this disk");
  locked_ = true;
  std::unique_ptr<channel::JournalFile> out = std::make_unique<File>(*this);
  return out;
}

Bytes SimDisk::image() const {
  Bytes out = synced_;
  append(out, unsynced_);
  return out;
}

void SimDisk::crash(std::mt19937_64& random) {
  ++generation_;
  locked_ = false;
  unsynced_.resize(random() % (unsynced_.size() + 1));
  if (!unsynced_.empty() && random() % 2 == 0) {
    unsynced_[random() % unsynced_.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
  }
  append(synced_, unsynced_);
  unsynced_.clear();
}

void SimDisk::restore_image(Bytes image) {
  ++generation_;
  locked_ = false;
  synced_ = std::move(image);
  unsynced_.clear();
}

}  // namespace tally::channel_sim
