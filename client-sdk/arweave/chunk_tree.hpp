// The Merkle tree over the chunks of a transaction's data (`data_root`), and proofs of single
// chunks (`data_path`).
//
// Data are cut every 256 KiB, the last two chunks evened out so that none is shorter than 32 KiB. A
// size that is a multiple of 256 KiB has an extra leaf of no bytes, which counts for the root and
// is never uploaded. A proof is, from the root down, left id ‖ right id ‖ end of the left side for
// each branch, then data hash ‖ end of the chunk; numbers are 32 bytes, big endian.
//
// Source: arweave-js, lib/merkle; vectors in tests/vectors/arweave/merkle.json. Stricter than
// arweave-js: every bound in a proof must lie where it can, and the leaf must end where its parents
// say.
#pragma once

#include <optional>
#include <vector>

#include "client-sdk/arweave/digest.hpp"

namespace tally::arweave {

constexpr std::uint64_t kMaxChunkBytes = 256 << 10;
constexpr std::uint64_t kMinChunkBytes = 32 << 10;

// Bytes [begin, end) of the data, and the proof that they are that.
struct Chunk {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Bytes path;

  // The offset that stands for the chunk in requests: its last byte.
  std::uint64_t offset() const { return end - 1; }
};

struct ChunkTree {
  Hash256 root{};
  std::vector<Chunk> chunks;  // those to upload: none of no bytes
  std::size_t leaves = 0;
};

ChunkTree build_chunk_tree(ByteView data);

struct ChunkPlace {
  Hash256 root{};               // the transaction's data_root
  std::uint64_t data_size = 0;  // the transaction's
  std::uint64_t offset = 0;     // any byte of the chunk
};

struct ChunkBounds {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Hash256 data_hash{};
};

// Where the chunk lies that holds the byte at `offset`, and what it hashes to; nothing if the proof
// does not lead there.
std::optional<ChunkBounds> check_path(const ChunkPlace& place, ByteView path);
// The same, and `bytes` are that chunk.
std::optional<ChunkBounds> check_chunk(const ChunkPlace& place, ByteView path, ByteView bytes);

}  // namespace tally::arweave
