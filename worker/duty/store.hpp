// The records of duties on disk: a file each, written synced before the commit that it belongs to
// leaves, and kept until the dispute is over.
//
//   <folder>/<dispute number>.duty = "tallystick/duty/v1" ‖ SCALE(DutyRecord) ‖ blake2_256 of both
//
// A record is never replaced by another. A lock keeps a second process out of the folder: two of
// them could commit to two votes.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "worker/duty/duty.hpp"

namespace tally::worker {

class DutyStore {
 public:
  // Makes the folder if it is missing; fails on a damaged record, and names the file.
  static Result<std::unique_ptr<DutyStore>, Error> open(const std::filesystem::path& folder);
  ~DutyStore();
  DutyStore(const DutyStore&) = delete;
  DutyStore& operator=(const DutyStore&) = delete;

  const std::vector<DutyRecord>& loaded() const { return loaded_; }
  // On disk when it returns. Refuses a record that differs from the one that is there.
  Result<void, Error> keep(const DutyRecord& record) const;
  Result<void, Error> forget(DisputeNumber number) const;

 private:
  DutyStore(std::filesystem::path folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  std::filesystem::path path_of(DisputeNumber number) const;

  std::filesystem::path folder_;
  int lock_;
  std::vector<DutyRecord> loaded_;
};

}  // namespace tally::worker
