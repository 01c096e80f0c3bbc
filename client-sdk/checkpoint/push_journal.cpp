#include "client-sdk/checkpoint/push_journal.hpp"

#include "client-sdk/content/files.hpp"

namespace tally::checkpoint {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kJournalBytesMax = 64 * 1024;

}  // namespace

Result<std::optional<PushJournal>, Error> PushFolder::read() const {
  const fs::path path = path_ / "journal";
  std::error_code error;
  if (!fs::exists(path, error)) return std::optional<PushJournal>();
  const Bytes bytes = TALLY_TRY(content::read_whole(path, kJournalBytesMax));
  const auto journal = decode<PushJournal>(bytes);
  if (!journal.ok() || journal->version != PushJournal::kVersion) {
    return fail_with("the journal " + path.string() +
                     " does not read: it is damaged, or of another version of this program. If no "
                     "push of this state is under way elsewhere, delete its folder and push again");
  }
  return std::optional<PushJournal>(*journal);
}

Result<void, Error> PushFolder::write(const PushJournal& journal) const {
  return content::write_durably(path_ / "journal", encode(journal));
}

Result<void, Error> PushFolder::write_blob(ByteView blob) const {
  TALLY_TRY(content::make_private_folder(path_));
  return content::write_durably(path_ / "blob", blob);
}

Result<Bytes, Error> PushFolder::read_blob() const {
  return content::read_whole(path_ / "blob", blob_bytes_max(kMaxStateBytes));
}

Result<void, Error> PushFolder::remove() const {
  TALLY_TRY(content::remove_durably(path_ / "journal"));
  std::error_code error;
  fs::remove_all(path_, error);
  if (error) return fail_with("cannot delete " + path_.string() + ": " + error.message());
  return {};
}

}  // namespace tally::checkpoint
