// Files that only their owner may read, written whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "primitives/result.hpp"

namespace tally {

// Writes beside the target with mode 0600, syncs, puts it in place, syncs the folder. Without
// `replace`, a file that is already there is left alone and is an error.
Result<void, Error> write_private_file(const std::filesystem::path& path, std::string_view content,
                                       bool replace);
// Refuses what is not a regular file, what its group or others may read or write, what another user
// owns, and what is longer than `size_max` bytes.
Result<std::string, Error> read_private_file(const std::filesystem::path& path,
                                             std::size_t size_max);

}  // namespace tally
