// What the manifest of a RocksDB folder held when a table was last added to it. RocksDB takes a
// manifest that ends early for the whole of it, as a crash may leave one, and then opens a database
// without its newest tables, whose write-ahead logs are already gone. The record, a small file in
// the same folder, tells the two apart: a manifest only grows, and is synced before it is recorded,
// so one that is shorter than its record, or begins differently, was damaged.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "node/store/file.hpp"

namespace tally::store {

class ManifestRecord {
 public:
  explicit ManifestRecord(std::string folder);

  // What is wrong with the manifest; nothing when it is as recorded, or there is no record of it.
  std::optional<std::string> fault() const;
  // Records the manifest as it is now. From any thread.
  void update();

 private:
  std::string folder_;
  std::unique_ptr<DurableFile> file_;
  std::mutex mutex_;
};

}  // namespace tally::store
