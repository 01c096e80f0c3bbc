// Small files that must survive a crash, read and written whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "primitives/bytes.hpp"
#include "primitives/result.hpp"

namespace tally::content {

// Makes the folder and its parents, mode 0700 where they are new.
Result<void, Error> make_private_folder(const std::filesystem::path& folder);
// All or nothing, mode 0600: when it returns, the file has these bytes even after a power cut;
// before that it is as it was. Replaces what is there.
Result<void, Error> write_durably(const std::filesystem::path& path, ByteView bytes);
// Fails on a file of more than `max_bytes`.
Result<Bytes, Error> read_whole(const std::filesystem::path& path, std::uint64_t max_bytes);
// Removes a file, and says so durably; one that is not there is no error.
Result<void, Error> remove_durably(const std::filesystem::path& path);
// The files of a folder with this ending, sorted; none if there is no such folder.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                            std::string_view ending);

}  // namespace tally::content
