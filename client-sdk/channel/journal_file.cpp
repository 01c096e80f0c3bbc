// The journal's file on a real disk.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client-sdk/channel/journal.hpp"

namespace tally::channel {
namespace {

namespace fs = std::filesystem;

Failure<Error> system_error(const std::string& what, const fs::path& path) {
  return fail_with("cannot " + what + " " + path.string() + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

Result<void, Error> write_all(const Descriptor& file, ByteView bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

class FileOnDisk final : public JournalFile {
 public:
  FileOnDisk(fs::path folder, Descriptor lock, Descriptor directory, Descriptor file)
      : path_(folder / "journal"),
        fresh_(folder / "journal.new"),
        lock_(std::move(lock)),
        directory_(std::move(directory)),
        file_(std::move(file)) {}

  Result<Bytes, Error> read() override {
    Bytes out;
    std::array<std::uint8_t, 65'536> part;
    off_t at = 0;
    while (true) {
      const ssize_t n = ::pread(file_.get(), part.data(), part.size(), at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("read", path_);
      if (n == 0) return out;
      out.insert(out.end(), part.begin(), part.begin() + n);
      at += n;
    }
  }
  Result<void, Error> append(ByteView bytes) override { return write_all(file_, bytes, path_); }
  Result<void, Error> sync() override {
    if (::fdatasync(file_.get()) != 0) return system_error("sync", path_);
    return {};
  }
  Result<void, Error> cut(std::size_t size) override {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return system_error("cut", path_);
    if (::fsync(file_.get()) != 0) return system_error("sync", path_);
    return {};
  }
  Result<void, Error> replace(ByteView whole) override {
    Descriptor fresh(::open(fresh_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
                            S_IRUSR | S_IWUSR));
    if (!fresh.valid()) return system_error("make", fresh_);
    TALLY_TRY(write_all(fresh, whole, fresh_));
    if (::fsync(fresh.get()) != 0) return system_error("sync", fresh_);
    if (::rename(fresh_.c_str(), path_.c_str()) != 0) return system_error("replace", path_);
    if (::fsync(directory_.get()) != 0) return system_error("sync the folder of", path_);
    file_ = std::move(fresh);
    return {};
  }

 private:
  fs::path path_;
  fs::path fresh_;
  Descriptor lock_;  // held as long as this object lives
  Descriptor directory_;
  Descriptor file_;
};

}  // namespace

Result<std::unique_ptr<JournalFile>, Error> open_journal_file(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) return fail_with("cannot make " + folder.string() + ": " + error.message());
  if (made) fs::permissions(folder, fs::perms::owner_all, error);
  const fs::path lock_path = folder / "lock";
  Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!lock.valid()) return system_error("open", lock_path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail_with("another process uses the channels in " + folder.string() +
                     ": two of them would sign one version twice. Stop it, or use another folder");
  }
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return system_error("open", folder);
  const fs::path path = folder / "journal";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.valid()) return system_error("open", path);
  if (::fsync(directory.get()) != 0) return system_error("sync", folder);
  std::unique_ptr<JournalFile> out =
      std::make_unique<FileOnDisk>(folder, std::move(lock), std::move(directory), std::move(file));
  return out;
}

}  // namespace tally::channel
