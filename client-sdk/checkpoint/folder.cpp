#include "client-sdk/checkpoint/folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "client-sdk/content/files.hpp"

namespace tally::checkpoint {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNoteBytesMax = 256;

TimestampMs now() {
  using namespace std::chrono;
  const auto since = system_clock::now().time_since_epoch();
  return TimestampMs(static_cast<std::uint64_t>(duration_cast<milliseconds>(since).count()));
}

}  // namespace

Result<std::optional<PushLock>, Error> PushLock::take(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return fail_with("cannot open " + file.string() + ": " + std::strerror(errno));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return std::optional<PushLock>();
  }
  return std::optional<PushLock>(PushLock(descriptor));
}

PushLock::~PushLock() {
  if (file_ >= 0) ::close(file_);
}

Result<Folder, Error> Folder::open(const fs::path& root) {
  for (const char* part : {"states", "pushes", "matched"}) {
    TALLY_TRY(content::make_private_folder(root / part));
  }
  return Folder(root);
}

fs::path Folder::state_path(const StateHash& hash) const {
  return root_ / "states" / to_hex(hash);
}
fs::path Folder::match_path(const AccountId& owner, CheckpointIndex index) const {
  return root_ / "matched" / (to_hex(owner) + "-" + std::to_string(index.value));
}
fs::path Folder::push_folder(const Hash& push) const {
  return root_ / "pushes" / to_hex(push);
}

std::optional<Bytes> Folder::state(const StateHash& hash) const {
  const fs::path path = state_path(hash);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  auto bytes = content::read_whole(path, kMaxStateBytes);
  if (bytes.ok() && state_hash(*bytes) == hash) {
    fs::last_write_time(path, fs::file_time_type::clock::now(), error);
    return *std::move(bytes);
  }
  fs::remove(path, error);
  return std::nullopt;
}

bool Folder::has_state(const StateHash& hash) const {
  std::error_code error;
  return fs::exists(state_path(hash), error);
}

Result<void, Error> Folder::keep_state(const StateHash& hash, ByteView bytes) const {
  make_room(bytes.size());
  return content::write_durably(state_path(hash), bytes);
}

// What cannot be deleted stays: a full cache is no reason to fail.
void Folder::make_room(std::uint64_t bytes) const {
  struct Kept {
    fs::file_time_type used;
    std::uint64_t bytes;
    fs::path path;
  };
  std::vector<Kept> all;
  std::uint64_t sum = bytes;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(root_ / "states", error)) {
    const std::uint64_t size = file.file_size(error);
    if (error) continue;
    all.push_back({file.last_write_time(error), size, file.path()});
    sum += size;
  }
  std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& kept : all) {
    if (sum <= kCacheBytes) return;
    if (fs::remove(kept.path, error)) sum -= kept.bytes;
  }
}

Result<std::optional<PushLock>, Error> Folder::lock(const Hash& push) const {
  fs::path file = push_folder(push);
  file += ".lock";
  return PushLock::take(file);
}

// Only for people: that it cannot be written changes nothing.
void Folder::note_match(const AccountId& owner, const Entry& entry) const {
  const auto written = content::write_durably(match_path(owner, entry.index),
                                              encode(Matched{entry.record.state_hash, now()}));
  static_cast<void>(written.ok());
}

std::optional<Matched> Folder::match(const AccountId& owner, const Entry& entry) const {
  const auto bytes = content::read_whole(match_path(owner, entry.index), kNoteBytesMax);
  if (!bytes.ok()) return std::nullopt;
  const auto note = decode<Matched>(*bytes);
  if (!note.ok() || note->state_hash != entry.record.state_hash) return std::nullopt;
  return *note;
}

std::optional<Matched> last_match(const fs::path& folder, const AccountId& owner,
                                  const Entry& entry) {
  const auto opened = Folder::open(folder);
  return opened.ok() ? opened->match(owner, entry) : std::nullopt;
}

bool is_cached(const fs::path& folder, const StateHash& hash) {
  const auto opened = Folder::open(folder);
  return opened.ok() && opened->state(hash).has_value();
}

}  // namespace tally::checkpoint
