// The state of an upload on disk: the signed transaction, its data, and how far it came. Internal
// to the store.
#pragma once

#include <filesystem>

#include "client-sdk/arweave/chunk_tree.hpp"
#include "client-sdk/arweave/store.hpp"

namespace tally::arweave {

struct ArweaveStore::Upload {
  std::filesystem::path file;  // the journal; the data are beside it
  Transaction tx;              // without its data
  Bytes data;
  ChunkTree tree;
  bool sent = false;       // set before the first attempt: it may have reached a gateway
  std::size_t chunks = 0;  // so many of the tree's chunks were accepted, from the first
  bool complete = false;   // everything was accepted once

  // Small data travel in the transaction itself.
  bool is_inline() const { return tree.chunks.size() <= 1; }
  std::filesystem::path data_file() const;
  static std::filesystem::path file_of(const std::filesystem::path& folder, ByteView blob);

  // Writes the journal; durable when it returns.
  StoreResult<void> save() const;
  // The data too, before the journal that speaks of them.
  StoreResult<void> create() const;
  StoreResult<void> forget() const;
  // Nothing if there is none; an error if it cannot be trusted.
  static StoreResult<std::optional<Upload>> load(const std::filesystem::path& file);
};

}  // namespace tally::arweave
