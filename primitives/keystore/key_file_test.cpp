#include "primitives/keystore/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

namespace tally {
namespace {

namespace fs = std::filesystem;

// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "tally-keys-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), {}));
  }

 private:
  fs::path path_;
};

const KeyCost kCost = KeyCost::least();

KeyFile encrypted(const StoredKey& key) {
  auto file = encrypt_key(key, "secret", kCost);
  REQUIRE(file.ok());
  return *file;
}

bool mentions(const Error& error, std::string_view what) {
  return error.message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a key file gives its key back to its password, for every kind") {
  for (const auto& kind : tally_describe_enum(KeyKind{})) {
    const Folder folder;
    const StoredKey key = StoredKey::generate(kind.value);
    REQUIRE(write_key_file(folder / "key.json", encrypted(key)).ok());
    const auto seen = read_key_file(folder / "key.json");
    REQUIRE(seen.ok());
    CHECK(seen->kind == kind.value);
    CHECK(seen->public_key == key.public_key());
    const auto opened = open_key_file(folder / "key.json", "secret");
    REQUIRE(opened.ok());
    CHECK(equal(opened->secret.view(), key.secret.view()));
    CHECK(opened->kind == kind.value);
    CHECK(parse_key_kind(kind.name) == kind.value);
    const bool account = kind.value == KeyKind::ecdsa || kind.value == KeyKind::ed25519;
    CHECK(opened->account_pair().has_value() == account);
    CHECK(folder.files() == 1);
  }
  CHECK_FALSE(parse_key_kind("sr25519"));
}

TEST_CASE("a wrong password is told apart from a damaged file") {
  const KeyFile file = encrypted(StoredKey::generate(KeyKind::ecdsa));
  CHECK(mentions(decrypt_key(file, "Secret").error(), "password is wrong"));
  CHECK(mentions(decrypt_key(file, "").error(), "password is wrong"));
  const std::string text = file.to_json();
  // Every digit of the file is under the checksum: none can change unseen.
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '0' && text[i] != 'a') continue;
    std::string changed = text;
    changed[i] = text[i] == '0' ? '1' : 'b';
    CHECK_FALSE(KeyFile::parse(changed).ok());
  }
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    CHECK_FALSE(KeyFile::parse(text.substr(0, size)).ok());
  }
}

TEST_CASE("kind and cost are bound to the secret, even for who mends the checksum") {
  KeyFile file = encrypted(StoredKey::generate(KeyKind::consensus));
  file.kind = KeyKind::node;
  const auto mended = KeyFile::parse(file.to_json());
  REQUIRE(mended.ok());
  CHECK_FALSE(decrypt_key(*mended, "secret").ok());
}

TEST_CASE("costs that would exhaust the machine are refused before they are paid") {
  const StoredKey key = StoredKey::generate(KeyKind::vrf);
  CHECK_FALSE(encrypt_key(key, "", {17, 8192}).ok());
  CHECK_FALSE(encrypt_key(key, "", {1, (1ull << 30) + 1}).ok());
  CHECK_FALSE(encrypt_key(key, "", {0, 8192}).ok());
  KeyFile file = encrypted(key);
  file.cost.memory_bytes = 1ull << 40;
  CHECK_FALSE(KeyFile::parse(file.to_json()).ok());
}

TEST_CASE("what is not a key file is refused") {
  const std::string good = encrypted(StoredKey::generate(KeyKind::vrf)).to_json();
  REQUIRE(KeyFile::parse(good).ok());
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
        std::string(1 << 20, ' '), std::string(10'000, '['), good + "x",
        std::string(good).replace(good.find("argon2id13"), 10, "argon2id14"),
        std::string(good).replace(good.find("version 1"), 9, "version 2"),
        std::string(good).insert(good.find("\"kind\""), "\"more\": 1, "),
        std::string(good).replace(good.find("\"vrf\""), 5, "\"sr\""),
        std::string(good).replace(good.find("\"passes\": 1"), 11, "\"passes\": 1.5"),
        std::string(good).replace(good.find("\"passes\": 1"), 11, "\"passes\": -1"),
        std::string(good).replace(good.find("\"passes\": 1"), 11, "\"passes\": \"1\"")}) {
    CAPTURE(bad.substr(0, 400));
    CHECK_FALSE(KeyFile::parse(bad).ok());
  }
}

TEST_CASE("a key file has mode 0600, and is refused when others may read it") {
  const Folder folder;
  const fs::path path = folder / "key.json";
  REQUIRE(write_key_file(path, encrypted(StoredKey::generate(KeyKind::node))).ok());
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  for (const mode_t mode : {0640u, 0604u, 0620u, 0666u}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto refused = open_key_file(path, "secret");
    REQUIRE_FALSE(refused.ok());
    CHECK(mentions(refused.error(), "chmod 600"));
  }
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  CHECK(open_key_file(path, "secret").ok());
}

TEST_CASE("a key file that is there stays, unless it shall be replaced") {
  const Folder folder;
  const StoredKey first = StoredKey::generate(KeyKind::node);
  const StoredKey second = StoredKey::generate(KeyKind::node);
  REQUIRE(write_key_file(folder / "key.json", encrypted(first)).ok());
  const auto refused = write_key_file(folder / "key.json", encrypted(second));
  REQUIRE_FALSE(refused.ok());
  CHECK(mentions(refused.error(), "already exists"));
  CHECK(read_key_file(folder / "key.json")->public_key == first.public_key());
  REQUIRE(write_key_file(folder / "key.json", encrypted(second), IfKeyExists::replace).ok());
  CHECK(read_key_file(folder / "key.json")->public_key == second.public_key());
  CHECK(folder.files() == 1);  // nothing half-written is left behind
}

TEST_CASE("errors name the file and what is wrong with it") {
  const Folder folder;
  CHECK(mentions(read_key_file(folder / "absent").error(), "No such file"));
  CHECK(mentions(read_key_file(folder / "").error(), "regular file"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(mentions(read_key_file(folder / "pipe").error(), "regular file"));
  const fs::path broken = folder / "broken.json";
  std::ofstream(broken) << "{\"format\": 1}";
  REQUIRE(::chmod(broken.c_str(), 0600) == 0);
  CHECK(mentions(read_key_file(broken).error(), "broken.json"));
  CHECK_FALSE(write_key_file(folder / "no/such/folder", KeyFile{}).ok());
}

}  // namespace tally
