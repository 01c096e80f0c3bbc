#include "client-sdk/arweave/wallet.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client-sdk/content/files.hpp"
#include "client-sdk/wallet/wallet.hpp"
#include "primitives/base64url.hpp"
#include "primitives/content_id.hpp"
#include "primitives/crypto/seal.hpp"
#include "primitives/keystore/durable_file.hpp"

namespace tally::arweave {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFormat = "tallystick arweave wallet, version 1";
constexpr std::size_t kMaxFileBytes = 32 << 10;

std::string context_of(const std::string& address) {
  return "arweave wallet " + address;
}

Result<void, Error> check_name(const std::string& name) {
  if (client::wallet_name_is_valid(name)) return {};
  return fail_with("a wallet's name is 1 to 64 of a-z, 0-9, - and _; \"" + name + "\" came");
}

struct WalletFile {
  std::string address;
  KeyFile key;
  Bytes sealed;
};

Result<WalletFile, Error> read_wallet(const fs::path& path) {
  const std::string text = TALLY_TRY(read_private_file(path, kMaxFileBytes));
  const auto damaged = [&] {
    return fail_with(path.string() +
                     " is damaged or no Arweave wallet: restore it, or import the "
                     "JWK again");
  };
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != 4) return damaged();
  for (const char* name : {"format", "address", "sealed"}) {
    if (!json.contains(name) || !json[name].is_string()) return damaged();
  }
  if (json["format"] != kFormat || !json.contains("key")) return damaged();
  auto key = KeyFile::parse(json["key"].dump());
  auto sealed = from_base64url(json["sealed"].get<std::string>());
  auto address = json["address"].get<std::string>();
  if (!key.ok() || !sealed || !content_id_is_valid(StoreKind::arweave, address)) return damaged();
  return WalletFile{std::move(address), *std::move(key), *std::move(sealed)};
}

}  // namespace

fs::path WalletFolder::file_of(const std::string& name) const {
  return folder_ / (name + ".json");
}

Result<WalletEntry, Error> WalletFolder::store(const std::string& name, const RsaKey& key,
                                               std::string_view password,
                                               const KeyCost& cost) const {
  TALLY_TRY(check_name(name));
  if (key.modulus().size() != kRsaBytes) {
    return fail_with("an Arweave wallet's key has 4096 bits; this one has " +
                     std::to_string(key.modulus().size() * 8));
  }
  const std::string address = address_of(key.modulus());
  const StoredKey opener = StoredKey::generate(KeyKind::ed25519);
  const auto sealed = seal(seal_public(opener.secret), as_bytes(key.to_jwk()), context_of(address));
  TALLY_ASSERT(sealed.has_value());
  const KeyFile opener_file = TALLY_TRY(encrypt_key(opener, password, cost));
  const nlohmann::json json = {{"format", kFormat},
                               {"address", address},
                               {"key", nlohmann::json::parse(opener_file.to_json())},
                               {"sealed", to_base64url(*sealed)}};
  TALLY_TRY(content::make_private_folder(folder_));
  TALLY_TRY(write_private_file(file_of(name), json.dump(2) + "\n", /*replace=*/false));
  return WalletEntry{name, address};
}

Result<WalletEntry, Error> WalletFolder::find(const std::string& name) const {
  TALLY_TRY(check_name(name));
  if (!fs::exists(file_of(name))) {
    return fail_with("there is no Arweave wallet \"" + name + "\" in " + folder_.string() +
                     ": `tally arweave wallet new` or `import` makes one");
  }
  const auto wallet = TALLY_TRY(read_wallet(file_of(name)));
  return WalletEntry{name, wallet.address};
}

Result<std::vector<WalletEntry>, Error> WalletFolder::all() const {
  std::vector<WalletEntry> out;
  for (const fs::path& path : content::files_in(folder_, ".json")) {
    const std::string name = path.stem().string();
    if (client::wallet_name_is_valid(name)) out.push_back(TALLY_TRY(find(name)));
  }
  return out;
}

Result<RsaKey, Error> WalletFolder::unlock(const std::string& name,
                                           std::string_view password) const {
  TALLY_TRY(find(name));
  const WalletFile file = TALLY_TRY(read_wallet(file_of(name)));
  const StoredKey opener = TALLY_TRY(decrypt_key(file.key, password));
  const auto jwk = open_sealed(opener.secret, file.sealed, context_of(file.address));
  if (!jwk) {
    return fail_with(file_of(name).string() + " was changed: its key does not open it");
  }
  RsaKey key = TALLY_TRY(RsaKey::from_jwk(as_text(*jwk)));
  if (address_of(key.modulus()) != file.address) {
    return fail_with(file_of(name).string() + " was changed: it holds the key of another address");
  }
  return key;
}

}  // namespace tally::arweave
