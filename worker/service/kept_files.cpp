#include "worker/service/kept_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "primitives/balance.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::worker {

namespace {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kNameMax = 64;

Failure<Error> file_error(const std::string& doing, const std::filesystem::path& path) {
  return fail_with("cannot " + doing + " " + path.string() + ": " + std::strerror(errno));
}

bool write_whole(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<KeptFiles, Error> KeptFiles::open(const std::filesystem::path& folder, Kind kind) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail_with("cannot make the folder " + folder.string() + ": " + error.message());
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return KeptFiles(folder, std::move(kind));
}

Result<std::filesystem::path, Error> KeptFiles::path_of(std::string_view name) const {
  const bool plain = !name.empty() && name.size() <= kNameMax &&
                     std::all_of(name.begin(), name.end(),
                                 [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
  if (!plain) {
    return fail_with("expected the name of a " + kind_.name + " as " + kind_.shown_by +
                     " shows it, got '" + std::string(name) + "'");
  }
  return folder_ / (std::string(name) + kind_.suffix);
}

Result<std::string, Error> KeptFiles::add(TimestampMs at, ByteView body) const {
  const Hash checksum = blake2_256(body);
  std::string stamp = to_decimal(at.value);
  stamp.insert(0, stamp.size() < 15 ? 15 - stamp.size() : 0, '0');
  for (int number = 0;; ++number) {
    const std::string name = stamp + "-" + to_decimal(static_cast<u128>(number));
    const auto path = TALLY_TRY(path_of(name));
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) continue;
    if (fd < 0) return file_error("write", path);
    const bool written = write_whole(fd, checksum) && write_whole(fd, body);
    close(fd);
    if (!written) return file_error("write", path);
    return name;
  }
}

Result<std::vector<std::string>, Error> KeptFiles::names() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() == kind_.suffix) out.push_back(entry.path().stem().string());
  }
  if (error) return fail_with("cannot read " + folder_.string() + ": " + error.message());
  std::sort(out.begin(), out.end());
  return out;
}

Result<Bytes, Error> KeptFiles::read(std::string_view name) const {
  const auto path = TALLY_TRY(path_of(name));
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail_with("there is no " + kind_.name + " " + std::string(name) + " in " +
                     folder_.string());
  }
  const Bytes bytes((std::istreambuf_iterator<char>(file)), {});
  const ByteView view = bytes;
  if (bytes.size() < kHashSize ||
      !equal(view.first(kHashSize), blake2_256(view.subspan(kHashSize)))) {
    return fail_with("the " + kind_.name + " " + path.string() +
                     " is damaged: its checksum does not fit");
  }
  return to_bytes(view.subspan(kHashSize));
}

Result<void, Error> KeptFiles::remove(std::string_view name) const {
  const auto path = TALLY_TRY(path_of(name));
  if (unlink(path.c_str()) != 0) return file_error("remove", path);
  return {};
}

Result<void, Error> KeptFiles::trim(std::size_t files, std::uint64_t bytes) const {
  const auto all = TALLY_TRY(names());
  std::uint64_t total = 0;
  std::size_t kept = 0;
  bool full = false;
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    const auto path = TALLY_TRY(path_of(*name));
    std::error_code error;
    total += std::filesystem::file_size(path, error);
    full = full || kept >= files || (kept > 0 && total > bytes);
    if (full) {
      std::filesystem::remove(path, error);
    } else {
      ++kept;
    }
  }
  return {};
}

}  // namespace tally::worker
