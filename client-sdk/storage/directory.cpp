#include "client-sdk/storage/directory.hpp"

#include <limits>

#include "client-sdk/content/files.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::storage {

namespace fs = std::filesystem;

namespace {

Failure<StoreError> local_failure(const Error& error) {
  return store_failure(StoreFault::local, error.message);
}

StoreResult<void> check_id(const ContentId& id) {
  if (id.store != StoreKind::directory) {
    return store_failure(StoreFault::unsupported, "a directory keeps no content of " +
                                                      std::string(enumerator_name(id.store)) +
                                                      ": ask that store for " + id.id);
  }
  // A valid id has letters and digits only, so it cannot lead out of the folder.
  if (!content_id_is_valid(StoreKind::directory, id.id)) {
    return store_failure(
        StoreFault::unsupported,
        "a directory's content id is a CIDv1 (base32, raw, sha2-256), got \"" + id.id + "\"");
  }
  return {};
}

}  // namespace

Result<DirectoryStore, Error> DirectoryStore::open(const fs::path& folder) {
  TALLY_TRY(content::make_private_folder(folder));
  return DirectoryStore(folder);
}

StoreResult<Stored> DirectoryStore::put(ByteView blob, const PutOptions& options) {
  const ContentId id{StoreKind::directory, raw_cid(blob).to_text()};
  if (options.stop.stop_requested()) {
    return store_failure(StoreFault::interrupted, "stopped before " + id.id + " was written");
  }
  const auto there = get(id, blob.size());
  if (!there.ok()) {
    const auto written = content::write_durably(path_of(id), blob);
    if (!written.ok()) return local_failure(written.error());
  }
  if (options.progress) options.progress({blob.size(), blob.size()});
  return Stored{id};
}

StoreResult<Bytes> DirectoryStore::get(const ContentId& id, std::uint64_t max_bytes,
                                       const std::stop_token&) {
  TALLY_TRY(check_id(id));
  const fs::path path = path_of(id);
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    return store_failure(StoreFault::not_found, "there is no " + id.id + " in " + folder_.string());
  }
  if (error) {
    return store_failure(StoreFault::local,
                         "cannot read " + path.string() + ": " + error.message());
  }
  if (size > max_bytes) {
    return store_failure(StoreFault::too_large, path.string() + " has " + std::to_string(size) +
                                                    " bytes, at most " + std::to_string(max_bytes) +
                                                    " were asked for");
  }
  auto bytes = content::read_whole(path, max_bytes);
  if (!bytes.ok()) return local_failure(bytes.error());
  if (raw_cid(*bytes).to_text() != id.id) {
    return store_failure(StoreFault::mismatch,
                         path.string() + " was changed: its bytes have another hash than its name");
  }
  return *std::move(bytes);
}

StoreResult<BlobStatus> DirectoryStore::status(const ContentId& id, const std::stop_token&) {
  TALLY_TRY(check_id(id));
  const auto bytes = get(id, std::numeric_limits<std::uint64_t>::max());
  if (bytes.ok()) return BlobStatus{Presence::deep, 0};
  if (bytes.error().fault == StoreFault::not_found) return BlobStatus{Presence::absent, 0};
  return fail(bytes.error());
}

}  // namespace tally::storage
