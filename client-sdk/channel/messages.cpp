#include "client-sdk/channel/messages.hpp"

namespace tally::channel {
namespace {

const ChannelId& id_in(const Offer& m) {
  return m.state.channel_id;
}
const ChannelId& id_in(const Countersigned& m) {
  return m.update.state.channel_id;
}
const ChannelId& id_in(const CloseOffer& m) {
  return m.state.channel_id;
}
const ChannelId& id_in(const CloseAccepted& m) {
  return m.close.state.channel_id;
}
const ChannelId& id_in(const SpliceOffer& m) {
  return m.splice.state.channel_id;
}
const ChannelId& id_in(const SpliceAccepted& m) {
  return m.splice.state.channel_id;
}
const ChannelId& id_in(const Hello& m) {
  return m.channel_id;
}
const ChannelId& id_in(const CloseWanted& m) {
  return m.channel_id;
}

}  // namespace

ChannelId channel_of(const Message& message) {
  return std::visit([](const auto& m) { return id_in(m); }, message);
}

Bytes encode_message(const Message& message) {
  return encode(message);
}

Result<Message, DecodeError> decode_message(ByteView bytes) {
  if (bytes.size() > kMessageMax) return fail(DecodeError{DecodeErrorCode::too_long, kMessageMax});
  return decode<Message>(bytes);
}

}  // namespace tally::channel
