// Where large things are kept: one interface over a directory, Arweave and IPFS.
//
//   auto stored = store.put(blob, {.folder = state_folder, .progress = show});   // resumable
//   auto bytes = store.get(stored->id, kMaxSize);       // checked against the id, or failed
//
// A store is not trusted: what comes back from get() has been checked against its id. put() says
// what is stored, not that it can be read yet: whoever needs to know reads it back.
//
// put() keeps what it needs to go on in `folder`: called again with the same blob and folder after
// a crash, an error or an interruption, it continues, and pays nothing twice; after it succeeded,
// it makes sure that the blob is still there, and sends again what was lost. One call at a time
// uses a folder.
//
// Threads: calls block, for as long as `stop` allows; one store object serves one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "primitives/bytes.hpp"
#include "primitives/content_id.hpp"
#include "primitives/result.hpp"

namespace tally::storage {

struct ContentId {
  StoreKind store{};
  std::string id;  // form: primitives/content_id.hpp
  friend bool operator==(const ContentId&, const ContentId&) = default;
};

enum class StoreFault : std::uint8_t {
  not_found,    // nobody has it, or not yet
  mismatch,     // what came is not what the id names
  too_large,    // longer than the caller allows, or than the store takes
  unreachable,  // no gateway answered
  refused,      // the store said no: price above the maximum, balance too low, not authorised
  unsupported,  // an id of another store, or of a kind that this adapter cannot check
  interrupted,  // asked to stop
  local,        // a file or a key of ours
};
TALLY_DESCRIBE_ENUM(StoreFault, not_found, mismatch, too_large, unreachable, refused, unsupported,
                    interrupted, local);

struct StoreError : Error {
  StoreFault fault{};
};
inline Failure<StoreError> store_failure(StoreFault fault, std::string message) {
  return {StoreError{{std::move(message)}, fault}};
}
template <class T>
using StoreResult = Result<T, StoreError>;

struct Progress {
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
};

struct PutOptions {
  std::filesystem::path folder;  // made if it is missing
  std::function<void(const Progress&)> progress{};
  std::stop_token stop{};
};

struct Stored {
  ContentId id;
  std::uint64_t cost_winston = 0;  // paid to Arweave for this blob, over all calls; else 0
};

enum class Presence : std::uint8_t { absent, pending, confirmed, deep };
TALLY_DESCRIBE_ENUM(Presence, absent, pending, confirmed, deep);

// `deep` is so many confirmations that it is not expected to be undone. A directory, and IPFS,
// know only absent and deep.
struct BlobStatus {
  Presence presence{};
  std::uint64_t confirmations = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual StoreKind kind() const = 0;
  virtual StoreResult<Stored> put(ByteView blob, const PutOptions& options) = 0;
  // Fails with too_large when it is longer than `max_bytes`, and reads no more than that.
  virtual StoreResult<Bytes> get(const ContentId& id, std::uint64_t max_bytes,
                                 const std::stop_token& stop = {}) = 0;
  virtual StoreResult<BlobStatus> status(const ContentId& id, const std::stop_token& stop = {}) = 0;
};

}  // namespace tally::storage
