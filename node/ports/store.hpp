// Store: the node's database as ordered byte maps, one a column, written in atomic batches.
//
// A write is visible to reads at once and durable after the next sync() or synced write returns;
// batches become durable in the order in which they were written (a crash loses a suffix of them,
// never a part of one). A write that the disk refuses ends the process. The layout of each column
// is written down once, in node/ports/chain.hpp (blocks, heights, certificates, meta) and by the
// application (state, tree, events, tx_index, history).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "primitives/bytes.hpp"

namespace tally::ports {

enum class Column : std::uint8_t {
  state,         // latest flat key -> value
  tree,          // authenticated tree nodes by version and path
  blocks,        // hash -> block, final or not
  heights,       // height -> hash of the final block
  events,        // hash of a final block -> its events
  certificates,  // hash of a final block -> the Finalization that was made of it
  tx_index,      // extrinsic hash -> where it was included
  meta,          // head, epoch proofs
  history,       // values as they were before recent final blocks, and what pruning deletes later
  paths,         // path in the tree -> storage key, of every key that a kept state has
  snapshot,      // a state that is being fetched from peers
};
constexpr std::size_t kColumns = 11;

struct Write {
  Column column{};
  Bytes key;
  std::optional<Bytes> value;  // none: erase
};
using WriteBatch = std::vector<Write>;

enum class Durability : std::uint8_t { buffered, synced };

class Store {
 public:
  virtual ~Store() = default;
  virtual std::optional<Bytes> get(Column column, ByteView key) const = 0;
  // Calls visit for keys >= from in order, until it returns false or the column ends.
  virtual void scan(Column column, ByteView from,
                    const std::function<bool(ByteView key, ByteView value)>& visit) const = 0;
  virtual void write(WriteBatch batch, Durability durability) = 0;
  virtual void sync() = 0;
};

}  // namespace tally::ports
