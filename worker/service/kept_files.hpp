// A folder with one file an entry, mode 0600, named by time and number so that names ascend. Each
// begins with the checksum of the rest: a file that is damaged, or was being written when the power
// went, is told from a good one. Not synced.
//
// Any thread may add and read; names are not used twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "primitives/bytes.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::worker {

class KeptFiles {
 public:
  struct Kind {
    std::string name;                     // of an entry, in messages
    std::string suffix;                   // of its file, with the dot
    std::string shown_by = "its folder";  // where a person reads its name
  };
  // Makes the folder if it is missing.
  static Result<KeptFiles, Error> open(const std::filesystem::path& folder, Kind kind);

  // The entry's name.
  Result<std::string, Error> add(TimestampMs at, ByteView body) const;
  // Oldest first.
  Result<std::vector<std::string>, Error> names() const;
  Result<Bytes, Error> read(std::string_view name) const;
  Result<void, Error> remove(std::string_view name) const;
  // The oldest go, until both limits hold; the newest stays, however large.
  Result<void, Error> trim(std::size_t files, std::uint64_t bytes) const;

 private:
  KeptFiles(std::filesystem::path folder, Kind kind)
      : folder_(std::move(folder)), kind_(std::move(kind)) {}
  Result<std::filesystem::path, Error> path_of(std::string_view name) const;

  std::filesystem::path folder_;
  Kind kind_;
};

}  // namespace tally::worker
