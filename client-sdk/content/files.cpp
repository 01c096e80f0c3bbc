#include "client-sdk/content/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace tally::content {

namespace {

namespace fs = std::filesystem;

Failure<Error> file_error(const std::string& doing, const fs::path& path) {
  return fail_with("cannot " + doing + " " + path.string() + ": " + std::strerror(errno));
}

// A descriptor that closes itself.
struct File {
  int fd;
  explicit File(int descriptor) : fd(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
};

bool write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

Result<void, Error> sync_folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  const File directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd < 0 || ::fsync(directory.fd) != 0) return file_error("sync", folder);
  return {};
}

}  // namespace

Result<void, Error> make_private_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::create_directories(folder, error)) {
    if (error) return fail_with("cannot make " + folder.string() + ": " + error.message());
    return {};
  }
  fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return fail_with("cannot protect " + folder.string() + ": " + error.message());
  return {};
}

Result<void, Error> write_durably(const fs::path& path, ByteView bytes) {
  static std::atomic<std::uint64_t> writes{0};
  fs::path fresh = path;
  fresh += "." + std::to_string(::getpid()) + "-" + std::to_string(++writes) + ".new";
  {
    const File file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.fd < 0) return file_error("make", fresh);
    if (!write_all(file.fd, bytes) || ::fsync(file.fd) != 0) {
      const auto failed = file_error("write", fresh);
      ::unlink(fresh.c_str());
      return failed;
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return file_error("replace", path);
  return sync_folder_of(path);
}

Result<Bytes, Error> read_whole(const fs::path& path, std::uint64_t max_bytes) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return file_error("read", path);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return file_error("read", path);
  if (!S_ISREG(info.st_mode)) return fail_with(path.string() + " is not a file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > max_bytes) {
    return fail_with(path.string() + " must be at most " + std::to_string(max_bytes) +
                     " bytes, got " + std::to_string(size));
  }
  Bytes out(size);
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::read(file.fd, out.data() + done, out.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return file_error("read", path);
    done += static_cast<std::size_t>(n);
  }
  return out;
}

Result<void, Error> remove_durably(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return file_error("remove", path);
  }
  return sync_folder_of(path);
}

std::vector<fs::path> files_in(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ending) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace tally::content
