// What execution keeps in the database, column by column, and the batches that put it there.
//
//   state     storage key              -> value in the newest final block
//   tree      tree::NodeKey            -> tree::Node
//   events    hash of a final block    -> value of System.Events after it
//   tx_index  extrinsic hash           -> TxPlace
//   history   'v' ‖ key' ‖ height BE   -> the value before the block of that height (SCALE option)
//             'u' ‖ height BE          -> Undo: what that block changed and made stale
//             'r' ‖ height BE          -> tree::Root after that block, while its state is kept
//             'k'                      -> from this height on every state is kept (u32)
//             's'                      -> which snapshot points are kept below it (pruning.cpp)
//   paths     blake2_256(key)          -> storage key, while a kept state has it
//   snapshot  a state that is being fetched (snapshots.hpp)
//
// key' writes a storage key so that no key is a prefix of another and order is kept: a zero byte
// becomes 00 FF, and 00 00 ends it. The state at a kept height h is, for each key, what the first
// 'v' entry above h says, or else the state column. Heights are big endian, so that columns are in
// order.
#pragma once

#include <optional>
#include <vector>

#include "modules/support/state.hpp"
#include "node/ports/store.hpp"
#include "primitives/header.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::execution {

struct TxPlace {
  BlockNumber number;
  Hash block;
  std::uint32_t index{};  // within the block
  friend bool operator==(const TxPlace&, const TxPlace&) = default;
};
TALLY_DESCRIBE(TxPlace, number, block, index);

struct Undo {
  std::vector<Bytes> changed;  // storage keys, in order
  std::vector<Bytes> erased;   // those of them that the block took away
  std::vector<Bytes> stale;    // store keys of tree nodes that this block no longer reaches
  friend bool operator==(const Undo&, const Undo&) = default;
};
TALLY_DESCRIBE(Undo, changed, erased, stale);

Bytes escaped_key(ByteView storage_key);
// The storage key that `bytes` are the escaped form of.
std::optional<Bytes> unescaped_key(ByteView bytes);

Bytes value_key(ByteView storage_key, BlockNumber height);
// The storage key and the height that value_key() was made of.
std::optional<std::pair<Bytes, BlockNumber>> parse_value_key(ByteView key);
Bytes undo_key(BlockNumber height);
Bytes root_key(BlockNumber height);
Bytes oldest_key();

// A block's effect on the state, as it is written when the block is final.
struct StateCommit {
  BlockNumber height;
  Hash hash;
  const StateChanges* changes = nullptr;
  const tree::Update* update = nullptr;
  const Bytes* events = nullptr;
  const std::vector<Hash>* extrinsics = nullptr;  // hashes, in the order of the block
};
// `before` is the state that the block stands on.
void append_commit(ports::WriteBatch& batch, const StateReader& before, const StateCommit& commit);

ports::Write put_path(ByteView storage_key);
std::optional<Bytes> find_path(const ports::Store& store, const StateKeyHash& path);

BlockNumber oldest_kept(const ports::Store& store);
std::optional<tree::Root> root_at(const ports::Store& store, BlockNumber height);
std::optional<TxPlace> find_transaction(const ports::Store& store, const Hash& extrinsic);
std::optional<Bytes> find_events(const ports::Store& store, const Hash& block);

// Block 0 and everything that hangs on it, synced; the store must be empty. A store that holds a
// chain already is left alone if it is this one. First an install of a snapshot that was cut short
// is finished.
struct GenesisBlock {
  const std::map<Bytes, Bytes>* state = nullptr;
  const Header* header = nullptr;
};
enum class GenesisResult : std::uint8_t {
  written,
  already_there,
  other_chain,
  damaged,  // that install cannot be finished: its data has changed on the disk
};
GenesisResult install_genesis(ports::Store& store, const GenesisBlock& genesis,
                              const tree::Executor* executor = nullptr);

}  // namespace tally::execution
