#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "node/store/file.hpp"

namespace tally::store {

void end_for_disk(const std::string& what, const std::string& path, const std::string& reason) {
  std::fprintf(
      stderr,
      "fatal: could not %s %s: %s. Nothing more is promised to the network. Check the disk "
      "(space, permissions, health), then start again.\n",
      what.c_str(), path.c_str(), reason.c_str());
  std::fflush(stderr);
  std::_Exit(74);  // EX_IOERR: no destructor may write anything after this
}

std::string damage_advice(const std::string& folder, const std::string& reason) {
  return "the database in " + folder + " is damaged (" + reason +
         "). Nothing is served or signed on it. Check the disk, delete " + folder +
         " and start again: the chain is taken from peers anew. Keep votes.log and high-water, "
         "which hold what a validator has signed";
}

void end_for_damage(const std::string& folder, const std::string& reason) {
  std::fprintf(stderr, "fatal: %s\n", damage_advice(folder, reason).c_str());
  std::fflush(stderr);
  std::_Exit(65);  // EX_DATAERR
}

namespace {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool open() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

class PosixFile final : public DurableFile {
 public:
  explicit PosixFile(std::string path) : path_(std::move(path)) {}

  std::optional<Bytes> read() override {
    const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) {
      if (errno == ENOENT) return std::nullopt;
      fail("read");
    }
    Bytes out;
    std::uint8_t buffer[65536];
    for (;;) {
      const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail("read");
      if (n == 0) return out;
      out.insert(out.end(), buffer, buffer + n);
    }
  }

  void append(ByteView bytes) override {
    open_for_writing();
    const off_t end = ::lseek(file_.get(), 0, SEEK_END);
    if (end < 0) fail("find the end of");
    put(file_.get(), bytes, end);
  }

  void write_at(std::size_t offset, ByteView bytes) override {
    open_for_writing();
    put(file_.get(), bytes, static_cast<off_t>(offset));
  }

  void truncate(std::size_t size) override {
    open_for_writing();
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) fail("shorten");
    sync();
  }

  void sync() override {
    if (file_.open() && ::fdatasync(file_.get()) != 0) fail("sync");
  }

  void replace(ByteView content) override {
    const std::string fresh = path_ + ".new";
    {
      const Descriptor file(
          ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
      if (!file.open()) fail("create the successor of");
      put(file.get(), content, 0);
      if (::fsync(file.get()) != 0) fail("sync the successor of");
    }
    file_ = Descriptor();
    if (::rename(fresh.c_str(), path_.c_str()) != 0) fail("replace");
    sync_folder();
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    end_for_disk(what, path_, std::strerror(errno));
  }

  void put(int fd, ByteView bytes, off_t offset) const {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail("write");
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      offset += n;
    }
  }

  void open_for_writing() {
    if (file_.open()) return;
    file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
    if (file_.open()) return;
    if (errno != ENOENT) fail("open");
    file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file_.open()) fail("create");
    sync_folder();  // or the file itself could be gone after a crash
  }

  void sync_folder() const {
    const auto folder = std::filesystem::absolute(path_).parent_path();
    const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.open() || ::fsync(fd.get()) != 0) fail("sync the folder of");
  }

  std::string path_;
  Descriptor file_;
};

}  // namespace

std::unique_ptr<DurableFile> posix_file(std::string path) {
  return std::make_unique<PosixFile>(std::move(path));
}

}  // namespace tally::store
