#include "rpc/convert.hpp"

#include "primitives/codec/scale.hpp"

namespace tally::rpc {

namespace proto = tallystick::v1;

namespace {

template <class T>
Result<T, Error> to_fixed(const std::string& bytes, std::string_view field) {
  const auto value = T::from(as_bytes(bytes));
  if (value) return *value;
  return fail_with(std::string(field) + " must be " + std::to_string(T::kSize) + " raw bytes; " +
                   std::to_string(bytes.size()) + " came");
}

}  // namespace

Result<Hash, Error> to_hash(const std::string& bytes, std::string_view field) {
  return to_fixed<Hash>(bytes, field);
}

Result<AccountId, Error> to_account(const std::string& bytes, std::string_view field) {
  return to_fixed<AccountId>(bytes, field);
}

Result<ChannelId, Error> to_channel_id(const std::string& bytes, std::string_view field) {
  return to_fixed<ChannelId>(bytes, field);
}

Result<ports::BlockAt, Error> to_block_at(const proto::BlockAt& at) {
  switch (at.at_case()) {
    case proto::BlockAt::kBest:
      if (at.best()) return ports::BlockAt(ports::LatestBest{});
      return ports::BlockAt(ports::LatestFinal{});
    case proto::BlockAt::kNumber:
      return ports::BlockAt(BlockNumber(at.number()));
    case proto::BlockAt::kHash:
      return ports::BlockAt(TALLY_TRY(to_hash(at.hash(), "at.hash")));
    case proto::BlockAt::AT_NOT_SET:
      return ports::BlockAt(ports::LatestFinal{});
  }
  return fail_with("at must be one of best, number, hash");
}

void fill(proto::BlockRef& out, const ports::BlockRef& block) {
  out.set_number(block.number.value);
  out.set_hash(to_proto(block.hash));
}

void fill(proto::Header& out, const ports::BlockRef& block, const Header& header) {
  fill(*out.mutable_block(), block);
  out.set_scale(to_proto(encode(header)));
  out.set_parent_hash(to_proto(header.parent_hash));
  out.set_state_root(to_proto(header.state_root));
  out.set_extrinsics_root(to_proto(header.extrinsics_root));
  if (const auto digest = consensus_digest(header)) {
    out.set_epoch(digest->epoch.value);
    out.set_view(digest->view.value);
    out.set_time_ms(digest->time.value);
  }
}

void fill(proto::FinalityProof& out, const FinalityProof& proof) {
  fill(*out.mutable_block(), {proof.header.number.value, block_hash(proof.header)});
  out.set_scale(to_proto(encode(proof)));
}

}  // namespace tally::rpc
