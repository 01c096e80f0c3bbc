// Arweave wallets on disk: <wallet folder>/arweave/<name>.json, encrypted, mode 0600.
//
// The JWK is in a sealed box (primitives/crypto/seal.hpp) whose key is a key file of its own
// (primitives/keystore), under the password. Address and key file are readable without it.
// Names are as those of accounts. Errors never hold secrets.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "client-sdk/arweave/rsa.hpp"
#include "primitives/keystore/key_file.hpp"

namespace tally::arweave {

struct WalletEntry {
  std::string name;
  std::string address;
};

class WalletFolder {
 public:
  // In the folder of the accounts' key files; made when something is stored.
  explicit WalletFolder(const std::filesystem::path& wallet) : folder_(wallet / "arweave") {}

  // A name that is taken is refused. Only keys of 4096 bits: no other is taken by the network.
  Result<WalletEntry, Error> store(const std::string& name, const RsaKey& key,
                                   std::string_view password, const KeyCost& cost = {}) const;
  Result<WalletEntry, Error> find(const std::string& name) const;
  Result<std::vector<WalletEntry>, Error> all() const;
  Result<RsaKey, Error> unlock(const std::string& name, std::string_view password) const;
  std::filesystem::path file_of(const std::string& name) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace tally::arweave
