// A wallet: a folder of encrypted key files, one account each, known by name.
//
//   Wallet wallet = TALLY_TRY(Wallet::open(default_wallet_folder()));
//   NewAccount made = TALLY_TRY(wallet.create({"alice", KeyScheme::ecdsa, password}));
//   // made.mnemonic is shown once and written nowhere: it is the way back to the account
//   KeyPair key = TALLY_TRY(wallet.unlock("alice", password));
//
// The files are primitives/keystore's: Argon2id + XChaCha20-Poly1305, mode 0600, in a folder of
// mode 0700. A name is 1 to 64 of a-z, 0-9, - and _, and is the file's name. Nothing is cached: two
// processes may use one wallet. Errors never hold secrets.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "primitives/crypto/sign.hpp"
#include "primitives/keystore/key_file.hpp"
#include "primitives/result.hpp"

namespace tally::client {

struct WalletAccount {
  std::string name;
  KeyScheme scheme{};
  AccountId account;
};

struct AccountRequest {
  std::string name;
  KeyScheme scheme = KeyScheme::ecdsa;
  std::string password;
  KeyCost cost;
};

struct NewAccount {
  WalletAccount account;
  std::string mnemonic;
};

class Wallet {
 public:
  // Makes the folder if it is missing.
  static Result<Wallet, Error> open(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  // By name. A damaged file is an error that names it.
  Result<std::vector<WalletAccount>, Error> accounts() const;
  Result<WalletAccount, Error> find(std::string_view name) const;

  // With a new mnemonic of 12, 15, 18, 21 or 24 words. A name that is taken is refused.
  Result<NewAccount, Error> create(const AccountRequest& request, std::size_t words = 12);
  // From a secret URI: a mnemonic, "0x…" or "//Alice", with junctions.
  Result<WalletAccount, Error> import_uri(const AccountRequest& request, std::string_view uri);
  // From a key file of another wallet, under the password that it has.
  Result<WalletAccount, Error> import_file(std::string_view name,
                                           const std::filesystem::path& file);
  Result<KeyPair, Error> unlock(std::string_view name, std::string_view password) const;
  std::filesystem::path file_of(std::string_view name) const;

 private:
  explicit Wallet(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<WalletAccount, Error> store(const AccountRequest& request, const Secret& secret);
  std::filesystem::path folder_;
};

// $XDG_DATA_HOME/tallystick/wallet, else ~/.local/share/tallystick/wallet.
std::filesystem::path default_wallet_folder();
bool wallet_name_is_valid(std::string_view name);

}  // namespace tally::client
