// A folder as a store: each blob is a file, named by the CIDv1 (raw, sha2-256) of its bytes, which
// is also the name it would have in IPFS.
//
// Files are written synced and atomically, mode 0600; what is read is hashed. Processes may share a
// folder. A damaged file is replaced by the next put() of its blob.
#pragma once

#include <filesystem>

#include "client-sdk/storage/store.hpp"

namespace tally::storage {

class DirectoryStore final : public BlobStore {
 public:
  // Makes the folder if it is missing.
  static Result<DirectoryStore, Error> open(const std::filesystem::path& folder);

  StoreKind kind() const override { return StoreKind::directory; }
  StoreResult<Stored> put(ByteView blob, const PutOptions& options) override;
  StoreResult<Bytes> get(const ContentId& id, std::uint64_t max_bytes,
                         const std::stop_token& stop = {}) override;
  StoreResult<BlobStatus> status(const ContentId& id, const std::stop_token& stop = {}) override;

  std::filesystem::path path_of(const ContentId& id) const { return folder_ / id.id; }

 private:
  explicit DirectoryStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace tally::storage
