// Proofs of chunks from gateways: none but our own leads from the root of known data.
#include "client-sdk/arweave/chunk_tree.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

constexpr std::size_t kSize = 2 * arweave::kMaxChunkBytes + 5;

}  // namespace

void run(ByteView input) {
  static const arweave::ChunkTree kTree = arweave::build_chunk_tree(Bytes(kSize, 7));
  for (const arweave::Chunk& chunk : kTree.chunks) {
    const auto bounds = arweave::check_path({kTree.root, kSize, chunk.offset()}, input);
    if (bounds) TALLY_ASSERT(equal(input, chunk.path));
  }
  // The first bytes as a chunk's, the others as its proof, at a root of the input's choice.
  if (input.size() < 40) return;
  arweave::ChunkPlace place{{}, input[32] * std::uint64_t{70'000}, input[33] * std::uint64_t{256}};
  std::memcpy(place.root.data(), input.data(), place.root.size());
  const auto bounds = arweave::check_path(place, input.subspan(34));
  if (!bounds) return;
  TALLY_ASSERT(bounds->begin <= place.offset && place.offset < bounds->end);
  TALLY_ASSERT(bounds->end <= place.data_size);
  TALLY_ASSERT(bounds->end - bounds->begin <= arweave::kMaxChunkBytes);
}

}  // namespace tally::fuzz
