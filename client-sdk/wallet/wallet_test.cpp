#include "client-sdk/wallet/wallet.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "primitives/derivation.hpp"
#include "primitives/ss58.hpp"

namespace tally::client {
namespace {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "tally-wallet-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

AccountRequest cheap(std::string name, KeyScheme scheme = KeyScheme::ecdsa) {
  return {std::move(name), scheme, "correct horse", KeyCost::least()};
}

TEST_CASE("an account comes back by password and by mnemonic") {
  const TempFolder temp;
  Wallet wallet = *Wallet::open(temp / "wallet");
  const auto made = wallet.create(cheap("alice"), 24);
  REQUIRE(made.ok());
  const auto key = wallet.unlock("alice", "correct horse");
  REQUIRE(key.ok());
  CHECK(key->account() == made->account.account);

  const auto again = wallet.import_uri(cheap("again"), made->mnemonic);
  REQUIRE(again.ok());
  CHECK(again->account == made->account.account);
  const auto wrong = wallet.unlock("alice", "incorrect horse");
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().message.find("password") != std::string::npos);
}

TEST_CASE("the development account has the address that every wallet gives it") {
  const TempFolder temp;
  Wallet wallet = *Wallet::open(temp / "wallet");
  const auto ecdsa = wallet.import_uri(cheap("a"), "//Alice");
  const auto ed25519 = wallet.import_uri(cheap("b", KeyScheme::ed25519), "//Alice");
  REQUIRE(ecdsa.ok());
  REQUIRE(ed25519.ok());
  CHECK(to_ss58(ecdsa->account) == "5C7C2Z5sWbytvHpuLTvzKunnnRwQxft1jiqrLD5rhucQ5S9X");
  CHECK(to_ss58(ed25519->account) == "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu");
}

TEST_CASE("accounts are listed by name and files are private") {
  const TempFolder temp;
  Wallet wallet = *Wallet::open(temp / "wallet");
  REQUIRE(wallet.create(cheap("zoe")).ok());
  REQUIRE(wallet.create(cheap("adam", KeyScheme::ed25519)).ok());
  std::ofstream(temp / "wallet" / "notes.txt") << "not a key";
  const auto accounts = wallet.accounts();
  REQUIRE(accounts.ok());
  REQUIRE(accounts->size() == 2);
  CHECK((*accounts)[0].name == "adam");
  CHECK((*accounts)[0].scheme == KeyScheme::ed25519);
  CHECK((*accounts)[1].name == "zoe");
  struct stat info {};
  REQUIRE(stat(wallet.file_of("zoe").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(stat(wallet.folder().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
}

TEST_CASE("a taken name, a bad name and a missing account are refused with what to do") {
  const TempFolder temp;
  Wallet wallet = *Wallet::open(temp / "wallet");
  REQUIRE(wallet.create(cheap("alice")).ok());
  const AccountId before = wallet.find("alice")->account;
  CHECK(!wallet.create(cheap("alice")).ok());
  CHECK(wallet.find("alice")->account == before);
  for (const char* name : {"", "Alice", "../alice", "a b", "a.json"}) {
    CHECK(!wallet.create(cheap(name)).ok());
  }
  const auto missing = wallet.find("bob");
  REQUIRE(!missing.ok());
  CHECK(missing.error().message.find("tally keys list") != std::string::npos);
}

TEST_CASE("a damaged key file is an error that names the file, and others still open") {
  const TempFolder temp;
  Wallet wallet = *Wallet::open(temp / "wallet");
  REQUIRE(wallet.create(cheap("alice")).ok());
  REQUIRE(wallet.create(cheap("bob")).ok());
  std::ofstream(wallet.file_of("alice"), std::ios::trunc) << "{\"version\": 1";
  const auto broken = wallet.unlock("alice", "correct horse");
  REQUIRE(!broken.ok());
  CHECK(broken.error().message.find("alice.json") != std::string::npos);
  CHECK(wallet.unlock("bob", "correct horse").ok());
}

TEST_CASE("a key file of another wallet keeps its password") {
  const TempFolder temp;
  Wallet from = *Wallet::open(temp / "from");
  Wallet to = *Wallet::open(temp / "to");
  REQUIRE(from.create(cheap("alice")).ok());
  REQUIRE(to.import_file("imported", from.file_of("alice")).ok());
  const auto key = to.unlock("imported", "correct horse");
  REQUIRE(key.ok());
  CHECK(key->account() == from.find("alice")->account);
}

}  // namespace
}  // namespace tally::client
