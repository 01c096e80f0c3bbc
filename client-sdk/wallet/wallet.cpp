#include "client-sdk/wallet/wallet.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "primitives/bip39.hpp"
#include "primitives/derivation.hpp"

namespace tally::client {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNameMax = 64;
constexpr std::string_view kExtension = ".json";

KeyKind kind_of(KeyScheme scheme) {
  switch (scheme) {
    case KeyScheme::ed25519:
      return KeyKind::ed25519;
    case KeyScheme::ecdsa:
      return KeyKind::ecdsa;
  }
  TALLY_ASSERT(false && "a key scheme outside its enumeration");
}

Result<void, Error> check_name(std::string_view name) {
  if (wallet_name_is_valid(name)) return {};
  return fail_with("an account's name is 1 to 64 of a-z, 0-9, - and _; \"" + std::string(name) +
                   "\" came");
}

Result<WalletAccount, Error> describe(std::string name, const KeyFile& file, const fs::path& path) {
  WalletAccount out{std::move(name), KeyScheme::ecdsa, {}};
  if (file.kind == KeyKind::ecdsa) {
    out.account = account_of(*Secp256k1Key::from(file.public_key));
    return out;
  }
  if (file.kind == KeyKind::ed25519) {
    out.scheme = KeyScheme::ed25519;
    out.account = account_of(*Ed25519Key::from(file.public_key));
    return out;
  }
  return fail_with(path.string() + " holds a " + std::string(enumerator_name(file.kind)) +
                   " key, which is a validator's and no account's: keep it in the node's folder");
}

}  // namespace

bool wallet_name_is_valid(std::string_view name) {
  if (name.empty() || name.size() > kNameMax) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

fs::path default_wallet_folder() {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data != '\0') return fs::path(data) / "tallystick" / "wallet";
  const char* home = std::getenv("HOME");
  const fs::path base = home != nullptr && *home != '\0' ? fs::path(home) : fs::path(".");
  return base / ".local" / "share" / "tallystick" / "wallet";
}

Result<Wallet, Error> Wallet::open(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    return fail_with("cannot make the wallet's folder " + folder.string() + ": " +
                     (error ? error.message() : "something that is no folder is there"));
  }
  if (made) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) {
    return fail_with("cannot make " + folder.string() + " private: " + error.message());
  }
  return Wallet(folder);
}

fs::path Wallet::file_of(std::string_view name) const {
  return folder_ / (std::string(name) + std::string(kExtension));
}

Result<std::vector<WalletAccount>, Error> Wallet::accounts() const {
  std::vector<WalletAccount> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const fs::path& path = entry.path();
    const std::string name = path.stem().string();
    if (path.extension() != kExtension || !wallet_name_is_valid(name)) continue;
    out.push_back(TALLY_TRY(find(name)));
  }
  if (error) return fail_with("cannot read " + folder_.string() + ": " + error.message());
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

Result<WalletAccount, Error> Wallet::find(std::string_view name) const {
  TALLY_TRY(check_name(name));
  const fs::path path = file_of(name);
  if (!fs::exists(path)) {
    return fail_with("there is no account \"" + std::string(name) + "\" in " + folder_.string() +
                     ": `tally keys list` shows those there are, `tally keys new` makes one");
  }
  const auto file = TALLY_TRY(read_key_file(path));
  return describe(std::string(name), file, path);
}

Result<WalletAccount, Error> Wallet::store(const AccountRequest& request, const Secret& secret) {
  const auto key = StoredKey::from(kind_of(request.scheme), secret);
  if (!key) return fail_with("this secret is no valid key of the scheme: use another");
  const fs::path path = file_of(request.name);
  const KeyFile file = TALLY_TRY(encrypt_key(*key, request.password, request.cost));
  TALLY_TRY(write_key_file(path, file));
  return describe(request.name, file, path);
}

Result<NewAccount, Error> Wallet::create(const AccountRequest& request, std::size_t words) {
  TALLY_TRY(check_name(request.name));
  const auto entropy = Entropy::generate(words);
  if (!entropy) {
    return fail_with("a mnemonic has 12, 15, 18, 21 or 24 words; " + std::to_string(words) +
                     " were asked for");
  }
  WalletAccount account = TALLY_TRY(store(request, mnemonic_secret(*entropy, "")));
  return NewAccount{std::move(account), to_mnemonic(*entropy)};
}

Result<WalletAccount, Error> Wallet::import_uri(const AccountRequest& request,
                                                std::string_view uri) {
  TALLY_TRY(check_name(request.name));
  const SecretUri secret = TALLY_TRY(SecretUri::parse(uri));
  return store(request, secret.derive(request.scheme));
}

Result<WalletAccount, Error> Wallet::import_file(std::string_view name, const fs::path& file) {
  TALLY_TRY(check_name(name));
  const KeyFile key = TALLY_TRY(read_key_file(file));
  WalletAccount account = TALLY_TRY(describe(std::string(name), key, file));
  TALLY_TRY(write_key_file(file_of(name), key));
  return account;
}

Result<KeyPair, Error> Wallet::unlock(std::string_view name, std::string_view password) const {
  TALLY_TRY(find(name));
  const StoredKey key = TALLY_TRY(open_key_file(file_of(name), password));
  return *key.account_pair();
}

}  // namespace tally::client
