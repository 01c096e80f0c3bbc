// What a node keeps of the past, and the deletes that hold it to that.
//
// Kept are the newest `states` states and `blocks` blocks, and for newcomers the snapshot points:
// the state after the last block of each of the two newest epochs that are over, with the blocks
// since the older one. A state below the others costs only what differs from the next one above it:
// of each key that changed since, the value that it had, and the tree nodes that were replaced.
//
// Each commit deletes a bounded share, so that a node that kept more before, or a snapshot point
// that is no longer wanted, costs no long pause. Design: docs/adr/100-pruning-and-snapshots.md
#pragma once

#include <cstdint>
#include <vector>

#include "node/execution/layout.hpp"

namespace tally::execution {

struct Retention {
  std::uint32_t states = 256;      // of final blocks below the head; 0: all
  std::uint32_t blocks = 0;        // likewise, with their events and certificates; 0: all
  std::uint32_t epoch_length = 0;  // blocks; 0: no snapshot points
};

// The last blocks of the two newest epochs that are over at `head`, the older one first.
std::vector<BlockNumber> snapshot_points(BlockNumber head, std::uint32_t epoch_length);

// Deletes what is not to be kept once `landing` more blocks stand on the head in the store. Goes
// into a batch before anything else, since a key that it forgets may be written again.
void append_pruning(ports::WriteBatch& batch, const ports::Store& store, const Retention& retention,
                    std::uint32_t landing);

// Whether the state after this final block is here.
bool is_state_kept(const ports::Store& store, BlockNumber height);

}  // namespace tally::execution
