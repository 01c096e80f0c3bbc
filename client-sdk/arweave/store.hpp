// Arweave as a store of blobs.
//
// Three ways to pay and to sign, by what the configuration holds:
//
// | wallet, account        | the account's data item, in a bundle that the wallet pays |
// | wallet                 | the wallet's own transaction |
// | account, bundler       | the account's data item, posted to the bundler |
//
// The content id is the transaction's in the first two, the data item's in the third; each is
// enough to fetch and check the blob: a transaction's id commits to its signature, and that to the
// data's Merkle root; a bundle of one data item is unpacked, and its signature checked.
//
// put() keeps in its folder, before anything is sent, what it signed: arweave-<sha256 of the
// blob>.json and .data beside it. Called again it posts the same transaction, whose id does not
// change, so that it is paid once however often it is sent; it goes on after the last chunk that
// was accepted, and once all were, it checks that the blob can be read, and sends the chunks again
// if it cannot. When the price rises between the quote and the first post, that transaction is
// forgotten: nothing was paid. One that may have left this machine is never signed anew, since that
// would pay twice if it was mined after all; to pay anew all the same, remove the two files.
//
// A price above `max_price_winston` is refused before anything is signed.
#pragma once

#include <optional>

#include "client-sdk/arweave/client.hpp"
#include "client-sdk/storage/store.hpp"

namespace tally::arweave {

// Of data in one transaction.
constexpr std::uint64_t kMaxStoredBytes = std::uint64_t{256} << 20;
// So many blocks on top that no fork is expected to undo it.
constexpr std::uint64_t kDeepConfirmations = 50;

struct StoreConfig {
  storage::GatewayConfig gateways;
  std::optional<RsaKey> wallet{};
  std::optional<KeyPair> account{};
  std::string bundler_url{};  // POST <url>/tx takes data items
  std::uint64_t max_price_winston = 0;
  Tags tags{};  // on the transaction and the data item, besides those of the bundle
};

class ArweaveStore final : public storage::BlobStore {
 public:
  static Result<ArweaveStore, Error> open(const StoreConfig& config);

  StoreKind kind() const override { return StoreKind::arweave; }
  StoreResult<storage::Stored> put(ByteView blob, const storage::PutOptions& options) override;
  StoreResult<Bytes> get(const storage::ContentId& id, std::uint64_t max_bytes,
                         const std::stop_token& stop = {}) override;
  StoreResult<storage::BlobStatus> status(const storage::ContentId& id,
                                          const std::stop_token& stop = {}) override;

  // What put() would pay for a blob of this size, now; 0 through a bundler.
  StoreResult<std::uint64_t> quote(std::uint64_t blob_bytes,
                                   const std::stop_token& stop = {}) const;

 private:
  struct Upload;
  ArweaveStore(StoreConfig config, Client client, std::optional<storage::Gateways> bundler)
      : config_(std::move(config)), client_(std::move(client)), bundler_(std::move(bundler)) {}

  Bytes transaction_data(ByteView blob, Tags& tags) const;
  StoreResult<Upload> start_upload(ByteView blob, const storage::PutOptions& options) const;
  StoreResult<void> post_transaction(Upload& upload, const std::stop_token& stop) const;
  StoreResult<void> check_price(const Upload& upload, const std::stop_token& stop) const;
  StoreResult<void> post_chunks(Upload& upload, const storage::PutOptions& options) const;
  StoreResult<void> resume(Upload& upload, ByteView blob, const std::stop_token& stop);
  StoreResult<storage::Stored> put_item(ByteView blob, const storage::PutOptions& options) const;

  StoreConfig config_;
  Client client_;
  std::optional<storage::Gateways> bundler_;
};

}  // namespace tally::arweave
