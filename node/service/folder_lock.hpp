// One process a data folder: a lock that the system takes away when the process ends, however it
// ends.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "primitives/result.hpp"

namespace tally::service {

struct FolderError {
  bool in_use = false;  // by another process; else the folder cannot be made or written
  std::string message;
};

class FolderLock {
 public:
  // Creates the folder. Fails when another process holds it, and says which.
  static Result<std::unique_ptr<FolderLock>, FolderError> take(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace tally::service
