// The layout of the blocks, heights, certificates and meta columns, in one place, for everyone who
// reads or writes them.
//
//   blocks        hash                    -> Block (SCALE)
//   heights       number, big endian u32  -> hash of the final block
//   certificates  hash                    -> Finalization (SCALE), if the block got one of its own
//   meta          "head"                  -> ChainHead (SCALE): the newest final block
//   meta          "epoch/" epoch BE u64   -> EpochProof (SCALE) of that epoch's last block
//   meta          "oldest-block"          -> BlockNumber: the lowest final block above genesis that
//                                            is kept with everything above it; none: all are
//
// Of blocks below the oldest one there are left: genesis, the heights entries of epochs' last
// blocks, and the epoch proofs, which hold those blocks' headers.
//
// A value that does not decode is damage of the database and a bug to read on: it ends the process.
#pragma once

#include <optional>

#include "node/ports/store.hpp"
#include "primitives/finality/proof.hpp"
#include "primitives/header.hpp"

namespace tally::ports {

struct ChainHead {
  Hash hash;
  BlockNumber number;
  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};
TALLY_DESCRIBE(ChainHead, hash, number);

Bytes height_key(BlockNumber number);
Bytes epoch_key(Epoch epoch);
Bytes beacon_key(Epoch epoch);

Write put_block(const Hash& hash, const Block& block);
Write erase_block(const Hash& hash);
Write put_height(BlockNumber number, const Hash& hash);
Write put_certificate(const Hash& hash, const Finalization& finalization);
Write put_head(const ChainHead& head);
Write put_epoch_proof(Epoch epoch, const EpochProof& proof);
Write erase_epoch_proof(Epoch epoch);
Write put_epoch_beacon(Epoch epoch, const Hash& beacon);
Write put_oldest_block(BlockNumber number);

std::optional<Block> find_block(const Store& store, const Hash& hash);
std::optional<Hash> find_final(const Store& store, BlockNumber number);
std::optional<Finalization> find_certificate(const Store& store, const Hash& hash);
std::optional<ChainHead> find_head(const Store& store);
std::optional<EpochProof> find_epoch_proof(const Store& store, Epoch epoch);
std::optional<Hash> find_epoch_beacon(const Store& store, Epoch epoch);
BlockNumber oldest_block(const Store& store);  // 1 where nothing was pruned

}  // namespace tally::ports
