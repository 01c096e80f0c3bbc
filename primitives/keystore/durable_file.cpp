#include "primitives/keystore/durable_file.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "primitives/bytes.hpp"
#include "primitives/crypto/sodium.hpp"

namespace tally {
namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Failure<Error> system_error(const std::filesystem::path& path, std::string_view action) {
  const std::string reason = std::strerror(errno);
  return fail_with("cannot " + std::string(action) + " '" + path.string() + "': " + reason);
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

// A name that nobody else uses, so that two writers never share a half-written file.
std::filesystem::path beside(const std::filesystem::path& path) {
  detail::ready_sodium();
  std::array<std::uint8_t, 8> random;
  randombytes_buf(random.data(), random.size());
  return folder_of(path) / ("." + path.filename().string() + "." + to_hex(random) + ".new");
}

bool sync_folder(const std::filesystem::path& folder) {
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.is_open() && ::fsync(opened.get()) == 0;
}

// rename() replaces, link() refuses to: both are atomic.
bool put_in_place(const std::filesystem::path& from, const std::filesystem::path& to,
                  bool replace) {
  if (replace) return ::rename(from.c_str(), to.c_str()) == 0;
  return ::link(from.c_str(), to.c_str()) == 0 && ::unlink(from.c_str()) == 0;
}

}  // namespace

Result<void, Error> write_private_file(const std::filesystem::path& path, std::string_view content,
                                       bool replace) {
  const auto temporary = beside(path);
  {
    const File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return system_error(temporary, "create");
    if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) {
      auto error = system_error(temporary, "write");
      ::unlink(temporary.c_str());
      return error;
    }
  }
  if (!put_in_place(temporary, path, replace)) {
    const bool exists = errno == EEXIST;
    auto error = system_error(path, "put in place");
    ::unlink(temporary.c_str());
    if (!exists) return error;
    return fail_with(
        "'" + path.string() +
        "' already exists and is not overwritten; choose another name or move it away");
  }
  if (!sync_folder(folder_of(path))) return system_error(folder_of(path), "sync the folder");
  return {};
}

Result<std::string, Error> read_private_file(const std::filesystem::path& path,
                                             std::size_t size_max) {
  // Not blocking, so that a pipe in the file's place is refused below instead of waited for.
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return system_error(path, "open");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error(path, "look at");
  if (!S_ISREG(info.st_mode)) return fail_with("'" + path.string() + "' is not a regular file");
  if ((info.st_mode & 0077) != 0) {
    return fail_with("'" + path.string() +
                     "' may be read or written by other users; expected mode 0600: run chmod 600 "
                     "on it, and make the key anew if others may have copied it");
  }
  if (info.st_uid != ::geteuid()) {
    return fail_with("'" + path.string() +
                     "' belongs to another user; expected the one that runs "
                     "this program: run chown on it");
  }
  std::string out;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "read");
    if (got == 0) return out;
    out.append(chunk.data(), static_cast<std::size_t>(got));
    if (out.size() > size_max) return fail_with("'" + path.string() + "' is too long for a key");
  }
}

}  // namespace tally
