// Who a node is on the network: an Ed25519 key of its own, never a consensus key, and the
// self-signed certificate that TLS wants around it. The key alone is the identity; nothing else in
// the certificate is looked at.
#pragma once

#include <filesystem>
#include <string>

#include "node/ports/network.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/result.hpp"

namespace tally::network {

class NodeIdentity {
 public:
  static NodeIdentity from_secret(const Secret& secret);
  // Reads the file, or makes a fresh key and the file (mode 0600) if there is none. A file that is
  // damaged is an error that names it: a node never changes its identity by itself.
  static Result<NodeIdentity, Error> load_or_create(const std::filesystem::path& file);

  const ports::PeerId& id() const { return id_; }
  const Secret& secret() const { return secret_; }
  const std::string& certificate_pem() const { return certificate_pem_; }

 private:
  Secret secret_;
  ports::PeerId id_;
  std::string certificate_pem_;
};

}  // namespace tally::network
