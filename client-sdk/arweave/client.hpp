// What Arweave gateways are asked, over HTTP; answers that can be checked are checked.
//
// Whatever names bytes is held against its id: transactions by id and signature, data by the Merkle
// root that the transaction signs, data items by id and signature. Prices, balances, anchors and
// confirmations are a gateway's word.
//
// Source: the HTTP API of Arweave nodes and gateways as arweave-js 1.15.7 uses it.
#pragma once

#include <stop_token>

#include "client-sdk/arweave/chunk_tree.hpp"
#include "client-sdk/arweave/data_item.hpp"
#include "client-sdk/arweave/transaction.hpp"
#include "client-sdk/storage/gateways.hpp"

namespace tally::arweave {

using storage::StoreError;
using storage::StoreFault;
using storage::StoreResult;

struct Confirmations {
  bool mined = false;
  std::uint64_t count = 0;
};

class Client {
 public:
  explicit Client(storage::Gateways gateways) : gateways_(std::move(gateways)) {}

  // In winston, of data of this size, to no new wallet.
  StoreResult<std::uint64_t> price(std::uint64_t bytes, const std::stop_token& stop) const;
  StoreResult<std::uint64_t> balance(const std::string& address, const std::stop_token& stop) const;
  StoreResult<Bytes> anchor(const std::stop_token& stop) const;

  // One that is there already is no error.
  StoreResult<void> post(const Transaction& tx, const std::stop_token& stop) const;
  StoreResult<void> post_chunk(const Transaction& tx, const Chunk& chunk, ByteView bytes,
                               const std::stop_token& stop) const;

  // Of a transaction; not_found when no gateway knows it.
  StoreResult<Confirmations> confirmations(const std::string& id,
                                           const std::stop_token& stop) const;
  StoreResult<Transaction> transaction(const std::string& id, const std::stop_token& stop) const;
  // The data of this transaction, which must be valid, whole or chunk by chunk.
  StoreResult<Bytes> data(const Transaction& tx, const std::stop_token& stop) const;

  // A data item by its id alone, as gateways that unpack bundles serve it.
  StoreResult<DataItem> item(const std::string& id, std::uint64_t max_bytes,
                             const std::stop_token& stop) const;
  StoreResult<Confirmations> item_confirmations(const std::string& id,
                                                const std::stop_token& stop) const;

 private:
  // Adds to `out`, which holds the proved chunks so far.
  StoreResult<void> data_by_chunks(const storage::Gateways& gateway, const Transaction& tx,
                                   Bytes& out, const std::stop_token& stop) const;
  storage::Gateways gateways_;
};

}  // namespace tally::arweave
