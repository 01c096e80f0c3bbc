// Network: whole opaque frames between authenticated peers.
//
// The transport knows nothing of what is in a frame. It may drop any frame (a full queue, a broken
// link); it never changes one, and never delivers one under another peer's name. Frames of one
// channel on one link arrive in order or not at all. Channels are priorities: a lower one goes
// first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "primitives/bytes.hpp"

namespace tally::ports {

TALLY_STRONG_BYTES(PeerId, 32);  // the Ed25519 key of a node's transport

constexpr std::size_t kMaxFrameBytes = 4 * 1024 * 1024;

// That one validator's key may have at a time: each is sent all that consensus says.
constexpr std::ptrdiff_t kLinksOfValidator = 4;

enum class Channel : std::uint8_t { consensus = 0, transactions = 1, sync = 2 };

class Network {
 public:
  virtual ~Network() = default;
  // Never blocks. A frame to a peer that is not connected is dropped.
  virtual void send(const PeerId& to, Channel channel, Bytes frame) = 0;
  // Ends the link because of what the peer sent; on_peer_down follows.
  virtual void disconnect(const PeerId& peer, std::string_view reason) = 0;
};

}  // namespace tally::ports
