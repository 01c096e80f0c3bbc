// Stop here, resume anywhere: a state goes to a store, its hash on chain, and comes back checked.
//
//   auto pushed = push(state, {.label = "sim", .folder = folder}, {store, chain, key});
//   auto pulled = pull({owner, "sim"}, {.folder = folder}, {finder, chain});    // pulled->state
//
// push() packs the state (blob.hpp), puts the blob into the store, reads it back whole until it is
// the same, records the checkpoint on chain, and keeps the state in the local cache. Every step is
// in a journal before the next one begins: called again with the same state, label and store after
// a crash at any point, it goes on where it was, pays no store twice and records nothing twice.
// Where the label's latest checkpoint is this very state, in this kind of store and readable there,
// nothing is left to do.
//
// pull() asks the chain (proved) what the state's hash is, and takes the state from the local cache
// if it is there, else from the store that the record names. What it returns has the hash that is
// on chain, or it fails: neither cache nor store is trusted.
//
// The folder:
//   states/<sha256>             states by hash; the oldest go when they are more than kCacheBytes
//   pushes/<key>/               pushes that are not done: blob, journal, what the store keeps
//   matched/<owner>-<index>     when a checkpoint's bytes were last fetched and matched
//
// Several processes may share a folder; one push at a time is made of one state and label. Calls
// block, for as long as `stop` allows. Sizes in bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "client-sdk/chain/client.hpp"
#include "client-sdk/checkpoint/blob.hpp"
#include "client-sdk/checkpoint/registry.hpp"
#include "client-sdk/storage/store.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::checkpoint {

enum class Fault : std::uint8_t {
  invalid,      // the label, or a state longer than kMaxStateBytes
  busy,         // another process pushes this state and label from this folder
  not_found,    // no such checkpoint on chain
  unavailable,  // the store did not give the bytes back; the push goes on when it is called again
  mismatch,     // the store gives other bytes than the record's
  store,        // the store failed otherwise: `store_fault` says how
  chain,        // `chain_error` says why
  refused,      // the chain refused the call: `refusal`
  interrupted,  // asked to stop; a push goes on when it is called again
  local,        // a file of ours
};
TALLY_DESCRIBE_ENUM(Fault, invalid, busy, not_found, unavailable, mismatch, store, chain, refused,
                    interrupted, local);

struct CheckpointError : Error {
  Fault fault{};
  std::optional<storage::StoreFault> store_fault{};
  std::optional<client::ClientError> chain_error{};
  std::optional<DispatchError> refusal{};
};
template <class T>
using CheckpointResult = Result<T, CheckpointError>;

// How far a push is. Each step is on disk when it is told.
enum class Step : std::uint8_t {
  packed,     // the blob is made
  uploading,  // bytes on their way
  uploaded,   // the store has it
  read_back,  // the store gave it back, and it was the same
  tx_signed,  // the transaction that records it is signed
  recorded,   // it is in a final block
  cached,     // the state is in the cache; the journal goes
};
struct PushProgress {
  Step step{};
  std::uint64_t done_bytes{};  // of the upload
  std::uint64_t total_bytes{};
};

struct PushOptions {
  std::string label;
  std::filesystem::path folder;
  std::optional<CheckpointIndex>
      parent{};                          // a live checkpoint of the signer that this goes on from
  std::uint32_t read_back_ms = 600'000;  // patience until the bytes come back
  std::uint32_t poll_ms = 2'000;         // between two attempts
  std::function<void(const PushProgress&)> progress{};
  std::stop_token stop{};
};
// Where a push goes. All three outlive the call.
struct PushTarget {
  storage::BlobStore& store;
  client::ChainClient& chain;
  const KeyPair& key;
};
struct Pushed {
  Entry entry;
  bool was_recorded{};  // before this call
  std::uint64_t blob_bytes{};
  std::uint64_t cost_winston{};  // paid to the store for it, over all calls
  Balance fee;                   // of the transaction that recorded it, if this call saw it
  std::optional<client::TxInBlock> at{};
};
CheckpointResult<Pushed> push(ByteView state, const PushOptions& options, const PushTarget& target);

// The store for content of a kind; null: none is at hand.
using StoreFinder = std::function<storage::BlobStore*(StoreKind)>;

enum class Source : std::uint8_t { cache, store };
TALLY_DESCRIBE_ENUM(Source, cache, store);

struct PullOptions {
  std::filesystem::path folder;
  std::stop_token stop{};
};
struct PullSource {
  const StoreFinder& stores;
  client::ChainClient& chain;
};
struct Pulled {
  Bytes state;
  Entry entry;
  Source source{};
};
CheckpointResult<Pulled> pull(const Wanted& wanted, const PullOptions& options,
                              const PullSource& from);

// Fetches the bytes from the store, whatever the cache has, and compares.
struct Verified {
  Entry entry;
  std::uint64_t blob_bytes{};
  storage::BlobStatus status;
};
CheckpointResult<Verified> verify(const Wanted& wanted, const PullOptions& options,
                                  const PullSource& from);

// Gives the record up, and the deposit comes back. What is in a store stays there.
struct Removed {
  client::TxOutcome outcome;
  Entry entry;
};
CheckpointResult<Removed> remove(client::ChainClient& chain, const KeyPair& key,
                                 CheckpointIndex index, const client::SubmitOptions& options = {});

// When this machine last had the bytes from the store and they matched; for people.
struct Matched {
  StateHash state_hash;
  TimestampMs time;  // of this machine's clock
  friend bool operator==(const Matched&, const Matched&) = default;
};
TALLY_DESCRIBE(Matched, state_hash, time);
std::optional<Matched> last_match(const std::filesystem::path& folder, const AccountId& owner,
                                  const Entry& entry);
bool is_cached(const std::filesystem::path& folder, const StateHash& hash);

}  // namespace tally::checkpoint
