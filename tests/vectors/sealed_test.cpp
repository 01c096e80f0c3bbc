#include "primitives/crypto/seal.hpp"
#include "primitives/keystore/key_file.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::vectors {

TEST_CASE("a sealed box that other software made opens") {
  for (const Json& v : load_own("sealed.json").at("boxes").get<std::vector<Json>>()) {
    const Secret secret = *Secret::from(bytes_of(v["recipient_secret"]));
    CHECK(to_hex(seal_public(secret)) == v["recipient_public"]);
    const auto content =
        open_sealed(secret, bytes_of(v["sealed"]), v["context"].get<std::string>());
    REQUIRE(content);
    CHECK(to_hex(*content) == v["content"]);
  }
}

TEST_CASE("a key file that other software made opens, and is written as we write it") {
  for (const Json& v : load_own("sealed.json").at("key_files").get<std::vector<Json>>()) {
    CAPTURE(v.dump());
    const auto file = KeyFile::parse(v["file"].dump());
    REQUIRE(file.ok());
    CHECK(Json::parse(file->to_json()) == v["file"]);
    const auto key = decrypt_key(*file, v["password"].get<std::string>());
    REQUIRE(key.ok());
    CHECK(to_hex(key->secret.view()) == v["secret"]);
    CHECK(to_hex(key->public_key()) == v["file"]["public_key"]);
  }
}

}  // namespace tally::vectors
