#include "node/store/sim_disk.hpp"

#include <algorithm>

#include "node/store/vote_log.hpp"

namespace tally::store {
namespace {

constexpr std::size_t kSectorBytes = 512;

// SplitMix64 (Steele, Lea, Flood 2014): enough to choose what a crash destroys.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return (z ^ z >> 31) % bound;
  }

 private:
  std::uint64_t state_;
};

void crash_file(SimFileState& file, Chance& chance) {
  if (!file.dirty) return;
  file.dirty = false;
  const Bytes before = file.synced.value_or(Bytes{});
  const Bytes after = file.live.value_or(Bytes{});
  if (!file.synced && chance.below(2) == 0) {
    file.live.reset();  // its folder entry was never synced
    return;
  }
  Bytes left = before;
  if (after.size() > before.size()) {
    left.resize(before.size() + chance.below(after.size() - before.size() + 1));
  }
  for (std::size_t at = 0; at < left.size(); at += kSectorBytes) {
    const std::size_t end = std::min(left.size(), at + kSectorBytes);
    if (chance.below(2) == 0) continue;
    for (std::size_t i = at; i < std::min(end, after.size()); ++i) left[i] = after[i];
  }
  file.live = left;
  file.synced = std::move(left);
}

}  // namespace

class SimDisk::StoreView final : public ports::Store {
 public:
  explicit StoreView(SimDisk& disk) : disk_(disk) {}

  std::optional<Bytes> get(ports::Column column, ByteView key) const override {
    const auto& map = disk_.columns_[static_cast<std::size_t>(column)];
    const auto it = map.find(key);
    return it == map.end() ? std::nullopt : std::optional(it->second);
  }

  void scan(ports::Column column, ByteView from,
            const std::function<bool(ByteView, ByteView)>& visit) const override {
    const auto& map = disk_.columns_[static_cast<std::size_t>(column)];
    for (auto it = map.lower_bound(from); it != map.end(); ++it) {
      if (!visit(it->first, it->second)) return;
    }
  }

  void write(ports::WriteBatch batch, ports::Durability durability) override {
    ++disk_.writes_;
    // What is synced at once needs no way back.
    const bool synced = durability == ports::Durability::synced;
    std::vector<Undo> undo;
    for (ports::Write& write : batch) {
      auto& table = disk_.columns_[static_cast<std::size_t>(write.column)];
      auto it = table.lower_bound(ByteView(write.key));
      const bool there = it != table.end() && it->first == write.key;
      if (!synced) {
        undo.push_back({write.column, write.key, there ? std::optional(it->second) : std::nullopt});
      }
      if (!write.value) {
        if (there) table.erase(it);
      } else if (there) {
        it->second = std::move(*write.value);
      } else {
        table.emplace_hint(it, std::move(write.key), std::move(*write.value));
      }
    }
    if (synced) {
      sync();
    } else {
      disk_.unsynced_.push_back(std::move(undo));
    }
  }

  void sync() override { disk_.unsynced_.clear(); }

 private:
  SimDisk& disk_;
};

class SimDisk::FileView final : public DurableFile {
 public:
  FileView(SimDisk& disk, SimFileState& file) : disk_(disk), file_(file) {}

  std::optional<Bytes> read() override { return file_.live; }
  void append(ByteView bytes) override {
    ++disk_.writes_;
    if (!file_.live) file_.live.emplace();
    tally::append(*file_.live, bytes);
    file_.dirty = true;
  }
  void write_at(std::size_t offset, ByteView bytes) override {
    ++disk_.writes_;
    TALLY_ASSERT(file_.live && offset + bytes.size() <= file_.live->size());
    std::copy(bytes.begin(), bytes.end(),
              file_.live->begin() + static_cast<std::ptrdiff_t>(offset));
    file_.dirty = true;
  }
  void truncate(std::size_t size) override {
    ++disk_.writes_;
    TALLY_ASSERT(file_.live && size <= file_.live->size());
    file_.live->resize(size);
    sync();
  }
  void sync() override {
    file_.synced = file_.live;
    file_.dirty = false;
  }
  void replace(ByteView content) override {
    ++disk_.writes_;
    file_.live = to_bytes(content);
    sync();
  }

 private:
  SimDisk& disk_;
  SimFileState& file_;
};

class SimDisk::Copy {
 public:
  std::array<Table, ports::kColumns> columns;
  std::optional<Bytes> log;
  std::optional<Bytes> high_water;
};

std::shared_ptr<const SimDisk::Copy> SimDisk::copy() const {
  return std::make_shared<const Copy>(Copy{columns_, log_.live, high_water_.live});
}

void SimDisk::restore(const Copy& copy) {
  columns_ = copy.columns;
  unsynced_.clear();
  log_ = {copy.log, copy.log, false};
  high_water_ = {copy.high_water, copy.high_water, false};
}

std::unique_ptr<ports::Store> SimDisk::store() {
  return std::make_unique<StoreView>(*this);
}

std::unique_ptr<ports::VoteLog> SimDisk::vote_log() {
  return open_vote_log(std::make_unique<FileView>(*this, log_));
}

std::unique_ptr<ports::HighWaterFile> SimDisk::high_water() {
  return open_high_water(std::make_unique<FileView>(*this, high_water_));
}

void SimDisk::crash(std::uint64_t seed) {
  Chance chance(seed);
  const std::size_t kept = chance.below(unsynced_.size() + 1);
  while (unsynced_.size() > kept) {
    auto& batch = unsynced_.back();
    for (auto undo = batch.rbegin(); undo != batch.rend(); ++undo) {
      auto& map = columns_[static_cast<std::size_t>(undo->column)];
      if (undo->before)
        map[undo->key] = *undo->before;
      else
        map.erase(undo->key);
    }
    unsynced_.pop_back();
  }
  unsynced_.clear();
  crash_file(log_, chance);
  crash_file(high_water_, chance);
}

void SimDisk::flip_log_bit(std::size_t bit) {
  flip_bit(log_, bit);
}

void SimDisk::flip_bit(SimFileState& file, std::size_t bit) {
  TALLY_ASSERT(file.live && bit / 8 < file.live->size());
  (*file.live)[bit / 8] = static_cast<std::uint8_t>((*file.live)[bit / 8] ^ 1U << bit % 8);
  file.synced = file.live;
}

void SimDisk::lose_database() {
  for (Table& table : columns_) table.clear();
  unsynced_.clear();
}

}  // namespace tally::store
