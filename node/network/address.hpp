// Where a peer is and who it must prove to be: key@host:port.
//
//   5f3a…e1@validator.example:30333      the key: 64 hexadecimal digits of the Ed25519 node key
//   5f3a…e1@[::1]:30333
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node/ports/network.hpp"
#include "primitives/result.hpp"

namespace tally::network {

struct PeerAddress {
  ports::PeerId peer;
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

Result<PeerAddress, Error> parse_peer_address(std::string_view text);
std::string to_text(const PeerAddress& address);

}  // namespace tally::network
