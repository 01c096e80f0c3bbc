// A long chain, made at once: the node's own application, pool and store, with real signatures,
// votes and epoch proofs, but nothing between two blocks that a validator would wait for.
//
// It is the dev chain under another id: //Alice alone validates, every block is final by a vote of
// its own, and //Bob's transfers bring new accounts into being, evenly over the blocks. tallyd
// takes the folder for a data folder of its own.
#pragma once

#include <cstdint>
#include <filesystem>

namespace tally::bench {

struct ChainSize {
  std::uint32_t blocks{};
  std::uint32_t accounts{};  // beside those of genesis
};

// Writes the chain spec, and a database into `data_folder`/db. Throws std::runtime_error.
struct ChainPlace {
  std::filesystem::path spec;
  std::filesystem::path data_folder;
};
void make_chain(const ChainPlace& place, const ChainSize& size);

}  // namespace tally::bench
