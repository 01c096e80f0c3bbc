#include "client-sdk/arweave/wallet.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/vectors/vectors.hpp"

namespace tally::arweave {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tally-wallet-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
};

RsaKey key_of(int bits) {
  for (const auto& entry : vectors::cases("arweave/jwk.json", "keys")) {
    if (entry.at("bits") == bits) return *RsaKey::from_jwk(entry.at("jwk").dump());
  }
  FAIL("no such key");
  return RsaKey::generate();
}

TEST_CASE("An Arweave wallet is kept encrypted", "[wallet]") {
  const Folder folder;
  const WalletFolder wallets(folder.path);
  CHECK(wallets.all()->empty());
  const RsaKey key = key_of(4096);
  const auto stored = wallets.store("savings", key, "secret", KeyCost::least());
  REQUIRE(stored.ok());
  CHECK(stored->address == address_of(key.modulus()));
  CHECK(wallets.find("savings")->address == stored->address);
  CHECK(wallets.all()->size() == 1);
  CHECK(wallets.unlock("savings", "secret")->to_jwk() == key.to_jwk());

  struct stat info {};
  REQUIRE(::stat(wallets.file_of("savings").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  std::ifstream file(wallets.file_of("savings"));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto jwk = nlohmann::json::parse(key.to_jwk());
  CHECK(text.find(jwk.at("d").get<std::string>()) == std::string::npos);
  CHECK(text.find(jwk.at("p").get<std::string>()) == std::string::npos);
}

TEST_CASE("An Arweave wallet: what is refused", "[wallet]") {
  const Folder folder;
  const WalletFolder wallets(folder.path);
  const RsaKey key = key_of(4096);
  REQUIRE(wallets.store("a", key, "secret", KeyCost::least()).ok());
  CHECK_FALSE(wallets.store("a", key, "secret", KeyCost::least()).ok());
  CHECK_FALSE(wallets.store("../b", key, "secret", KeyCost::least()).ok());
  CHECK_FALSE(wallets.store("short", key_of(2048), "secret", KeyCost::least()).ok());
  CHECK_FALSE(wallets.find("b").ok());
  CHECK_FALSE(wallets.unlock("a", "other").ok());
  // A box of one wallet in another's file.
  std::ifstream in(wallets.file_of("a"));
  auto json = nlohmann::json::parse(in);
  json["address"] = std::string(43, 'A');
  std::ofstream(wallets.file_of("a")) << json.dump();
  CHECK_FALSE(wallets.unlock("a", "secret").ok());
  std::ofstream(wallets.file_of("a")) << "{}";
  CHECK_FALSE(wallets.unlock("a", "secret").ok());
}

}  // namespace
}  // namespace tally::arweave
