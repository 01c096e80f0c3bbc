#include "node/network/address.hpp"

#include <charconv>

namespace tally::network {
namespace {

Failure<Error> bad(std::string_view text, std::string_view why) {
  return fail_with("peer address: expected <64 hex digits of the node key>@<host>:<port>, came '" +
                   std::string(text) + "' (" + std::string(why) + ")");
}

}  // namespace

Result<PeerAddress, Error> parse_peer_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return bad(text, "there is no @");
  const auto key = from_hex(text.substr(0, at));
  const auto peer = key ? ports::PeerId::from(*key) : std::nullopt;
  if (!peer) return bad(text, "the key is not 32 bytes of hex");

  const std::string_view rest = text.substr(at + 1);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "there is no port");
  std::string_view host = rest.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) return bad(text, "there is no host");
  if (!bracketed && host.find(':') != std::string_view::npos) {
    return bad(text, "an IPv6 address stands in [ ]");
  }

  const std::string_view digits = rest.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) {
    return bad(text, "the port is not a number from 1 to 65535");
  }
  return PeerAddress{*peer, std::string(host), port};
}

std::string to_text(const PeerAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return to_hex(address.peer) + "@" + (v6 ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.port);
}

}  // namespace tally::network
