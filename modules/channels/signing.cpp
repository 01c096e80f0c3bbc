#include "modules/channels/signing.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::channels {
namespace {

template <class Body>
Bytes tagged(std::string_view thing, const Body& body) {
  Bytes out = domain_tag(thing);
  append(out, encode(body));
  return out;
}

template <class Body>
Bytes state_bytes(Intent intent, const Body& body) {
  Bytes out = domain_tag("channel-state");
  out.push_back(static_cast<std::uint8_t>(intent));
  append(out, encode(body));
  return out;
}

}  // namespace

ChannelId channel_id_of(const ChannelIdInput& input) {
  return *ChannelId::from(blake2_256(tagged("channel-id", input)));
}

Bytes update_bytes(const ChannelState& state) {
  return state_bytes(Intent::update, state);
}
Bytes close_bytes(const ChannelState& state) {
  return state_bytes(Intent::close, state);
}
Bytes splice_bytes(const SpliceBody& splice) {
  return state_bytes(Intent::splice, splice);
}
Bytes open_consent_bytes(const OpenConsent& consent) {
  return tagged("channel-open", consent);
}
Bytes appointment_bytes(const TowerAppointment& appointment) {
  return tagged("tower-appointment", appointment);
}

}  // namespace tally::channels
