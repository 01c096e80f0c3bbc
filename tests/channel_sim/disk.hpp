// A simulated disk for one journal: what was synced stays, what was not may be lost, cut short or
// garbled by a crash.
#pragma once

#include <memory>
#include <random>

#include "client-sdk/channel/journal.hpp"

namespace tally::channel_sim {

class SimDisk {
 public:
  // As open_journal_file: refused while another file on this disk is open.
  Result<std::unique_ptr<channel::JournalFile>, Error> open();
  // The machine dies. The file that was open must not be used any more.
  void crash(std::mt19937_64& random);
  // An old copy of the disk comes back, as from a careless backup.
  Bytes image() const { return synced_; }
  void restore_image(Bytes image);

  Bytes& synced() { return synced_; }  // for tests that damage it

 private:
  class File;
  Bytes synced_;
  Bytes unsynced_;  // appended since
  bool locked_ = false;
  std::uint64_t generation_ = 0;  // files of before a crash are dead
};

}  // namespace tally::channel_sim
