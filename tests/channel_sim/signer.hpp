// Two keys that sign a channel's states, for tests.
#pragma once

#include "modules/channels/calls.hpp"
#include "modules/channels/signing.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::channel_sim {

struct Pair {
  KeyPair a;
  KeyPair b;
  const KeyPair& key(channels::Side side) const { return side == channels::Side::a ? a : b; }

  channels::CoSignedState update(const channels::ChannelState& state) const {
    const Bytes bytes = channels::update_bytes(state);
    return {state, a.sign(bytes), b.sign(bytes)};
  }
  channels::CoSignedState close(const channels::ChannelState& state) const {
    const Bytes bytes = channels::close_bytes(state);
    return {state, a.sign(bytes), b.sign(bytes)};
  }
  channels::Splice splice(const channels::SpliceBody& body) const {
    const Bytes bytes = channels::splice_bytes(body);
    return {body, a.sign(bytes), b.sign(bytes)};
  }
};

}  // namespace tally::channel_sim
