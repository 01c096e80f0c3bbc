#include "node/service/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace tally::service {

namespace {

Failure<FolderError> cannot(std::string message) {
  return fail(FolderError{false, std::move(message) + "; check its owner, its permissions and the "
                                                      "disk, or name another folder"});
}

}  // namespace

Result<std::unique_ptr<FolderLock>, FolderError> FolderLock::take(
    const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return cannot("cannot make the folder " + folder.string() + ": " + error.message());
  }
  const std::filesystem::path path = folder / "LOCK";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return cannot("cannot open " + path.string() + ": " + std::strerror(errno));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> holder{};
    const ssize_t size = ::pread(file, holder.data(), holder.size() - 1, 0);
    ::close(file);
    return fail(
        FolderError{true, "the data folder " + folder.string() + " is in use by process " +
                              (size > 0 ? std::string(holder.data()) : "unknown") +
                              "; stop it, or give this node a folder of its own with --base-path"});
  }
  const std::string pid = std::to_string(::getpid());
  const bool written = ::ftruncate(file, 0) == 0 && ::pwrite(file, pid.data(), pid.size(), 0) ==
                                                        static_cast<ssize_t>(pid.size());
  if (!written) {
    ::close(file);
    return cannot("cannot write " + path.string() + ": " + std::strerror(errno));
  }
  return std::unique_ptr<FolderLock>(new FolderLock(file));
}

FolderLock::~FolderLock() {
  ::close(file_);
}

}  // namespace tally::service
