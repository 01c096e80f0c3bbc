#include "client-sdk/content/folder.hpp"

#include "client-sdk/content/files.hpp"
#include "primitives/balance.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::content {

Result<ContentFolder, Error> ContentFolder::open(const std::filesystem::path& folder) {
  TALLY_TRY(make_private_folder(folder));
  return ContentFolder(folder);
}

std::filesystem::path ContentFolder::path_of(const Hash& hash) const {
  return folder_ / to_hex(hash);
}

bool ContentFolder::has(const Hash& hash) const {
  std::error_code error;
  return std::filesystem::is_regular_file(path_of(hash), error);
}

Result<Hash, Error> ContentFolder::put(ByteView bytes) const {
  if (bytes.size() > kMaxContentBytes) {
    return fail_with("content must be at most " + to_decimal(kMaxContentBytes) + " bytes, got " +
                     to_decimal(bytes.size()));
  }
  const Hash hash = blake2_256(bytes);
  if (has(hash)) return hash;
  TALLY_TRY(write_durably(path_of(hash), bytes));
  return hash;
}

Result<Bytes, Error> ContentFolder::get(const Hash& hash) const {
  auto bytes = TALLY_TRY(read_whole(path_of(hash), kMaxContentBytes));
  if (blake2_256(bytes) == hash) return bytes;
  return fail_with("the file " + path_of(hash).string() +
                   " is damaged: its content has another hash than its name says");
}

std::vector<Hash> ContentFolder::all() const {
  std::vector<Hash> out;
  for (const auto& path : files_in(folder_, "")) {
    const auto bytes = from_hex(path.filename().string());
    if (!bytes) continue;
    if (const auto hash = Hash::from(*bytes)) out.push_back(*hash);
  }
  return out;
}

Result<void, Error> ContentFolder::remove(const Hash& hash) const {
  return remove_durably(path_of(hash));
}

}  // namespace tally::content
