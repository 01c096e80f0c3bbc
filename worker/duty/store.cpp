#include "worker/duty/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client-sdk/content/files.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::worker {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashSize = 32;
constexpr std::uint64_t kMaxRecordBytes = 4'096;
constexpr std::string_view kEnding = ".duty";

Bytes bytes_of(const DutyRecord& record) {
  Bytes out = domain_tag("duty");
  append(out, encode(record));
  append(out, blake2_256(out));
  return out;
}

Result<DutyRecord, Error> read_record(const fs::path& path) {
  const Bytes bytes = TALLY_TRY(content::read_whole(path, kMaxRecordBytes));
  const ByteView view = bytes;
  const Bytes tag = domain_tag("duty");
  const auto damaged = [&] {
    return fail_with("the duty record " + path.string() +
                     " is damaged; it holds a vote that may be committed already. Remove it only "
                     "if you accept the fine for that one duty");
  };
  if (view.size() < tag.size() + kHashSize || !equal(view.first(tag.size()), tag)) return damaged();
  const ByteView covered = view.first(view.size() - kHashSize);
  if (!equal(blake2_256(covered), view.last(kHashSize))) return damaged();
  const auto record = decode<DutyRecord>(covered.subspan(tag.size()));
  if (!record) return damaged();
  return *record;
}

}  // namespace

Result<std::unique_ptr<DutyStore>, Error> DutyStore::open(const fs::path& folder) {
  TALLY_TRY(content::make_private_folder(folder));
  const fs::path lock_path = folder / "lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return fail_with("cannot open " + lock_path.string() + ": " + strerror(errno));
  std::unique_ptr<DutyStore> store(new DutyStore(folder, lock));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return fail_with("another process does the duties in " + folder.string() +
                     ": two of them could commit to two votes. Stop it, or use another folder");
  }
  for (const fs::path& path : content::files_in(folder, kEnding)) {
    store->loaded_.push_back(TALLY_TRY(read_record(path)));
  }
  return store;
}

DutyStore::~DutyStore() {
  ::close(lock_);
}

fs::path DutyStore::path_of(DisputeNumber number) const {
  return folder_ / (to_decimal(number.value) + std::string(kEnding));
}

Result<void, Error> DutyStore::keep(const DutyRecord& record) const {
  const fs::path path = path_of(record.number);
  std::error_code error;
  if (fs::exists(path, error)) {
    const auto there = TALLY_TRY(read_record(path));
    if (there == record) return {};
    return fail_with("the record " + path.string() + " holds another vote, which stays");
  }
  return content::write_durably(path, bytes_of(record));
}

Result<void, Error> DutyStore::forget(DisputeNumber number) const {
  return content::remove_durably(path_of(number));
}

}  // namespace tally::worker
