#include "node/execution/layout.hpp"

#include "node/execution/snapshots.hpp"
#include "node/ports/chain.hpp"
#include "primitives/assert.hpp"

namespace tally::execution {
namespace {

using ports::Column;

void append_height(Bytes& to, BlockNumber height) {
  append(to, ports::height_key(height));
}

Bytes height_entry(char kind, BlockNumber height) {
  Bytes key{static_cast<std::uint8_t>(kind)};
  append_height(key, height);
  return key;
}

BlockNumber height_of(ByteView bytes) {
  TALLY_ASSERT(bytes.size() == 4);
  std::uint32_t out = 0;
  for (const std::uint8_t byte : bytes) out = out << 8 | byte;
  return BlockNumber(out);
}

template <class T>
std::optional<T> read(const ports::Store& store, Column column, ByteView key) {
  const auto bytes = store.get(column, key);
  if (!bytes) return std::nullopt;
  auto value = decode<T>(*bytes);
  TALLY_ASSERT(value.ok());  // only this file writes here: anything else is a damaged database
  return *std::move(value);
}

}  // namespace

Bytes escaped_key(ByteView storage_key) {
  Bytes out;
  out.reserve(storage_key.size() + 4);
  for (const std::uint8_t byte : storage_key) {
    out.push_back(byte);
    if (byte == 0) out.push_back(0xFF);
  }
  out.push_back(0);
  out.push_back(0);
  return out;
}

std::optional<Bytes> unescaped_key(ByteView bytes) {
  Bytes out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != 0) {
      out.push_back(bytes[i]);
      continue;
    }
    if (i + 1 >= bytes.size()) return std::nullopt;
    if (bytes[i + 1] == 0) return i + 2 == bytes.size() ? std::optional(out) : std::nullopt;
    if (bytes[i + 1] != 0xFF) return std::nullopt;
    out.push_back(0);
    ++i;
  }
  return std::nullopt;
}

Bytes value_key(ByteView storage_key, BlockNumber height) {
  Bytes key{'v'};
  append(key, escaped_key(storage_key));
  append_height(key, height);
  return key;
}

std::optional<std::pair<Bytes, BlockNumber>> parse_value_key(ByteView key) {
  if (key.size() < 7 || key[0] != 'v') return std::nullopt;
  auto storage_key = unescaped_key(key.subspan(1, key.size() - 5));
  if (!storage_key) return std::nullopt;
  return std::pair(std::move(*storage_key), height_of(key.last(4)));
}

Bytes undo_key(BlockNumber height) {
  return height_entry('u', height);
}
Bytes root_key(BlockNumber height) {
  return height_entry('r', height);
}
Bytes oldest_key() {
  return {'k'};
}

void append_commit(ports::WriteBatch& batch, const StateReader& before, const StateCommit& commit) {
  Undo undo;
  undo.changed.reserve(commit.changes->size());
  for (const auto& [key, value] : *commit.changes) {
    const std::optional<Bytes> old = before.get(key);
    if (value && !old) batch.push_back(put_path(key));
    if (!value && old) undo.erased.push_back(key);
    batch.push_back({Column::history, value_key(key, commit.height), encode(old)});
    batch.push_back({Column::state, key, value});
    undo.changed.push_back(key);
  }
  for (const auto& written : commit.update->nodes) {
    batch.push_back({Column::tree, written.key.to_store_key(), written.node->encode()});
  }
  undo.stale.reserve(commit.update->stale.size());
  for (const tree::NodeKey& key : commit.update->stale) undo.stale.push_back(key.to_store_key());
  batch.push_back({Column::history, undo_key(commit.height), encode(undo)});
  batch.push_back({Column::history, root_key(commit.height), encode(commit.update->root)});
  batch.push_back({Column::events, to_bytes(commit.hash), *commit.events});
  for (std::uint32_t i = 0; i < commit.extrinsics->size(); ++i) {
    batch.push_back({Column::tx_index, to_bytes((*commit.extrinsics)[i]),
                     encode(TxPlace{commit.height, commit.hash, i})});
  }
}

ports::Write put_path(ByteView storage_key) {
  return {Column::paths, to_bytes(state_key_hash(storage_key)), to_bytes(storage_key)};
}

std::optional<Bytes> find_path(const ports::Store& store, const StateKeyHash& path) {
  return store.get(Column::paths, path);
}

BlockNumber oldest_kept(const ports::Store& store) {
  return read<BlockNumber>(store, Column::history, oldest_key()).value_or(BlockNumber(0));
}

std::optional<tree::Root> root_at(const ports::Store& store, BlockNumber height) {
  return read<tree::Root>(store, Column::history, root_key(height));
}

std::optional<TxPlace> find_transaction(const ports::Store& store, const Hash& extrinsic) {
  return read<TxPlace>(store, Column::tx_index, extrinsic);
}

std::optional<Bytes> find_events(const ports::Store& store, const Hash& block) {
  return store.get(Column::events, block);
}

GenesisResult install_genesis(ports::Store& store, const GenesisBlock& genesis,
                              const tree::Executor* executor) {
  const Hash hash = block_hash(*genesis.header);
  const BlockNumber zero(0);
  if (const auto there = ports::find_final(store, zero)) {
    if (*there != hash) return GenesisResult::other_chain;
    return finish_install(store) ? GenesisResult::already_there : GenesisResult::damaged;
  }
  const tree::Update update = tree::build(zero, *genesis.state, executor);
  TALLY_ASSERT(update.root.hash() == genesis.header->state_root);
  ports::WriteBatch batch;
  batch.reserve(genesis.state->size() + update.nodes.size() + 8);
  for (const auto& [key, value] : *genesis.state) {
    batch.push_back({Column::state, key, value});
    batch.push_back(put_path(key));
  }
  for (const auto& written : update.nodes) {
    batch.push_back({Column::tree, written.key.to_store_key(), written.node->encode()});
  }
  batch.push_back({Column::history, root_key(zero), encode(update.root)});
  batch.push_back({Column::events, to_bytes(hash), encode(std::vector<Bytes>())});
  batch.push_back(ports::put_block(hash, Block{*genesis.header, {}}));
  batch.push_back(ports::put_height(zero, hash));
  batch.push_back(ports::put_head({hash, zero}));
  store.write(std::move(batch), ports::Durability::synced);
  return GenesisResult::written;
}

}  // namespace tally::execution
