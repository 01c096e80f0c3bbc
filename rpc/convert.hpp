// Between the messages of rpc/proto and our own types. Internal to rpc/.
#pragma once

#include <string>

#include "node/ports/query.hpp"
#include "primitives/bytes.hpp"
#include "primitives/result.hpp"
#include "rpc/proto/common.pb.h"

namespace tally::rpc {

inline std::string to_proto(ByteView bytes) {
  return std::string(as_text(bytes));
}

// The error names the field and both lengths.
Result<Hash, Error> to_hash(const std::string& bytes, std::string_view field);
Result<AccountId, Error> to_account(const std::string& bytes, std::string_view field);
Result<ChannelId, Error> to_channel_id(const std::string& bytes, std::string_view field);
Result<ports::BlockAt, Error> to_block_at(const tallystick::v1::BlockAt& at);

void fill(tallystick::v1::BlockRef& out, const ports::BlockRef& block);
void fill(tallystick::v1::Header& out, const ports::BlockRef& block, const Header& header);
void fill(tallystick::v1::FinalityProof& out, const FinalityProof& proof);

}  // namespace tally::rpc
