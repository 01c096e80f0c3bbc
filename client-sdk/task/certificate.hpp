// Self-signed Ed25519 certificates for the task stream. They carry no name and no trust: a fresh
// one is made for every process, and the accounts' signatures bind it (client-sdk/task/auth.hpp).
#pragma once

#include <string>
#include <string_view>

#include "client-sdk/task/auth.hpp"
#include "primitives/result.hpp"

namespace tally::task {

// The name in every certificate, which a client asks for by SNI; it tells nothing.
constexpr std::string_view kCertificateName = "tallystick";

struct TlsIdentity {
  std::string key_pem;
  std::string certificate_pem;
  LeafHash leaf{};
};

Result<TlsIdentity, Error> make_tls_identity();
// sha256 of the first certificate of a PEM text.
Result<LeafHash, Error> leaf_hash(std::string_view pem);

}  // namespace tally::task
