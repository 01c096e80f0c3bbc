// Where a client's chain of trust begins and is kept between two runs: a file of this user's, and
// perhaps a block that he trusts.
//
//   TALLY_TRY(begin_trust(*client, {path, parse_trusted_block("1200:0x5f…")}));
//   …
//   keep_trust(*client, path);
//
// A trusted block counts where the file does not begin at it already: with the same block in a
// configuration for ever, what was learnt since is kept. A missing or damaged file costs a walk
// from there, or from genesis, nothing more.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "client-sdk/chain/client.hpp"

namespace tally::client {

struct TrustedBlock {
  std::optional<BlockNumber> number;  // compared with the header's
  Hash hash;
};

// "0x" and 64 digits, with a number and a colon before it or without.
Result<TrustedBlock, Error> parse_trusted_block(std::string_view text);

// Begins the chain of trust there: ChainClient::trust_block, with the number compared.
ClientResult<void> begin_at(ChainClient& client, const TrustedBlock& block);

struct TrustSource {
  std::filesystem::path file;
  std::optional<TrustedBlock> block;
};
ClientResult<void> begin_trust(ChainClient& client, const TrustSource& source);
// What save_trust() gave; makes the folder if need be.
Result<void, Error> keep_trust(ByteView saved, const std::filesystem::path& file);
inline Result<void, Error> keep_trust(const ChainClient& client,
                                      const std::filesystem::path& file) {
  return keep_trust(client.save_trust(), file);
}
// Empty when there is no such file, or it cannot be read.
Bytes read_trust(const std::filesystem::path& file);

}  // namespace tally::client
