// Bytes kept under their hash, a file each: <folder>/<64 hex digits>. Inputs of tasks that may yet
// be disputed; the same folder is what a content server (content/server.hpp) hands out.
//
// Files are written synced, mode 0600. What is read is checked against its hash. Two processes may
// use one folder.
#pragma once

#include <filesystem>
#include <vector>

#include "primitives/bytes.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::content {

// The longest content that is kept, served or fetched: a task's longest input.
constexpr std::uint64_t kMaxContentBytes = std::uint64_t{32} << 20;

class ContentFolder {
 public:
  // Makes the folder if it is missing.
  static Result<ContentFolder, Error> open(const std::filesystem::path& folder);

  // The hash, blake2_256. Bytes that are there already are not written again.
  Result<Hash, Error> put(ByteView bytes) const;
  // Fails when it is not there, and when what is there has another hash.
  Result<Bytes, Error> get(const Hash& hash) const;
  bool has(const Hash& hash) const;
  std::vector<Hash> all() const;
  Result<void, Error> remove(const Hash& hash) const;
  std::filesystem::path path_of(const Hash& hash) const;

 private:
  explicit ContentFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace tally::content
