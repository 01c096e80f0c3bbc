// A simulated disk for one journal: what was synced stays, what was not may be lost, cut short or
// garbled by a crash. And the fuse, by which a machine dies between any two things that it does.
#pragma once

#include <memory>
#include <random>

#include "client-sdk/channel/journal.hpp"
#include "tests/channel_sim/coverage.hpp"

namespace tally::channel_sim {

// Thrown out of a write or an effect: the machine is off from this moment.
struct MachineDied {
  Mark where{};
};

// Burns down by one at every place where a machine may die.
class Fuse {
 public:
  void arm(std::uint64_t steps) { left_ = steps; }
  void disarm() { left_ = 0; }
  void burn(Mark where) {
    if (left_ != 0 && --left_ == 0) throw MachineDied{where};
  }

 private:
  std::uint64_t left_ = 0;
};

class SimDisk {
 public:
  // As open_journal_file: refused while another file on this disk is open.
  Result<std::unique_ptr<channel::JournalFile>, Error> open();
  // The machine dies. The file that was open must not be used any more.
  void crash(std::mt19937_64& random);
  // The file as a reader sees it.
  Bytes image() const;
  // An old copy of the disk comes back, as from a careless backup.
  void restore_image(Bytes image);

  Bytes& synced() { return synced_; }  // for tests that damage it
  Fuse& fuse() { return fuse_; }

 private:
  class File;
  Bytes synced_;
  Bytes unsynced_;  // appended since
  Fuse fuse_;
  bool locked_ = false;
  std::uint64_t generation_ = 0;  // files of before a crash are dead
};

}  // namespace tally::channel_sim
