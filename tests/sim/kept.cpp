// What nodes keep of final blocks, compared with each other: whoever has a block has the same body
// and the same state after it, wherever it got them from.
#include "primitives/crypto/hash.hpp"
#include "tests/sim/node_state.hpp"

namespace tally::sim {

void World::judge_body(std::size_t node, const Hash& block, const std::vector<Hash>& extrinsics) {
  const auto [known, fresh] = bodies_.try_emplace(block, extrinsics);
  if (!fresh && known->second != extrinsics) {
    checkers_.fail("node " + std::to_string(node) + " has another body of a block than others");
  }
}

// While the newest state in the store is that after this block.
void World::judge_state(std::size_t node, const Hash& block, const ports::Store& store) {
  Bytes all;
  store.scan(ports::Column::state, {}, [&](ByteView key, ByteView value) {
    append(all, encode(to_bytes(key)));
    append(all, encode(to_bytes(value)));
    return true;
  });
  const Hash digest = blake2_256(all);
  const auto [known, fresh] = states_.try_emplace(block, digest);
  if (!fresh && known->second != digest) {
    checkers_.fail("node " + std::to_string(node) + " has another state than others");
  }
}

// What came from peers in place of all the blocks before.
void World::judge_snapshot(std::size_t node, const ports::ChainHead& head) {
  const auto store = nodes_[node]->node->read_store();
  const auto block = ports::find_block(*store, head.hash);
  if (!block) return checkers_.fail("node " + std::to_string(node) + " has a state and no block");
  std::vector<Hash> extrinsics;
  for (const Bytes& one : block->extrinsics) extrinsics.push_back(blake2_256(one));
  judge_body(node, head.hash, extrinsics);
  const auto newest = ports::find_head(*store);
  if (newest && newest->hash == head.hash) judge_state(node, head.hash, *store);
}

}  // namespace tally::sim
