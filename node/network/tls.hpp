// TLS 1.3 as the peers use it: mutual, Ed25519 only, the certificate's key is all that counts.
// Internal to this folder: brings in Asio.
#pragma once

#include <boost/asio/ssl.hpp>
#include <optional>

#include "node/network/handshake.hpp"
#include "node/network/identity.hpp"

namespace tally::network {

boost::asio::ssl::context make_tls_context(const NodeIdentity& identity);
// After the TLS handshake.
std::optional<ports::PeerId> peer_key(SSL* ssl);
std::optional<TlsExporter> tls_exporter(SSL* ssl);

}  // namespace tally::network
