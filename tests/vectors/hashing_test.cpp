#include "primitives/crypto/hash.hpp"

#include "primitives/codec/scale.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::vectors {
namespace {

Bytes concat(ByteView a, ByteView b) {
  Bytes out = to_bytes(a);
  append(out, b);
  return out;
}

std::string storage_prefix(std::string_view module, std::string_view item) {
  return to_hex_prefixed(concat(twox_128(as_bytes(module)), twox_128(as_bytes(item))));
}

}  // namespace

TEST_CASE("hashes of texts are those of the clients") {
  for (const Json& v : cases("substrate/hashing.json", "strings")) {
    const auto text = v["utf8"].get<std::string>();
    const ByteView data = as_bytes(text);
    CAPTURE(text);
    CHECK(to_hex_prefixed(twox_64(data)) == v["twox64"]);
    CHECK(to_hex_prefixed(twox_128(data)) == v["twox128"]);
    CHECK(to_hex_prefixed(twox_256(data)) == v["twox256"]);
    CHECK(to_hex_prefixed(blake2_64(data)) == v["blake2_64"]);
    CHECK(to_hex_prefixed(blake2_128(data)) == v["blake2_128"]);
    CHECK(to_hex_prefixed(blake2_256(data)) == v["blake2_256"]);
    CHECK(to_hex_prefixed(blake2_512(data)) == v["blake2_512"]);
  }
}

TEST_CASE("hashes of bytes, and those that end with what they hash, are those of the clients") {
  for (const Json& v : cases("substrate/hashing.json", "bytes")) {
    const Bytes data = bytes_of(v["hex"]);
    CAPTURE(v["hex"]);
    CHECK(to_hex_prefixed(twox_64(data)) == v["twox64"]);
    CHECK(to_hex_prefixed(twox_128(data)) == v["twox128"]);
    CHECK(to_hex_prefixed(blake2_128(data)) == v["blake2_128"]);
    CHECK(to_hex_prefixed(blake2_256(data)) == v["blake2_256"]);
    CHECK(to_hex_prefixed(concat(twox_64(data), data)) == v["twox64_concat"]);
    CHECK(to_hex_prefixed(concat(blake2_128(data), data)) == v["blake2_128_concat"]);
    for (std::size_t cut = 0; cut <= data.size(); ++cut) {
      const ByteView all(data);
      CHECK(blake2_256({all.first(cut), all.subspan(cut)}) == blake2_256(data));
    }
  }
}

TEST_CASE("storage prefixes and runtime interface ids are those of the clients") {
  const Json file = load("substrate/hashing.json");
  for (const Json& v : file["prefixes"]) {
    CHECK(storage_prefix(v["pallet"].get<std::string>(), v["item"].get<std::string>()) ==
          v["prefix"]);
  }
  for (const Json& v : file["runtime_api_ids"]) {
    CHECK(to_hex_prefixed(blake2_64(as_bytes(v["name"].get<std::string>()))) == v["id"]);
  }
}

TEST_CASE("storage keys are prefix, hash and key") {
  const Json keys = load("substrate/hashing.json")["storage_keys"];
  const Bytes account =
      *from_hex("01e552298e47454041ea31273b4b630c64c104e4514aa3643490b8aaca9cf8ed");
  const auto map_key = [](std::string_view module, std::string_view item, ByteView hash,
                          ByteView key) {
    return storage_prefix(module, item) + to_hex(hash) + to_hex(key);
  };
  const Bytes seven = encode(std::uint64_t{7});
  const Bytes one = encode(std::uint32_t{1});
  CHECK(map_key("System", "Account", blake2_128(account), account) == keys[0]["key"]);
  CHECK(map_key("Credits", "Account", blake2_128(account), account) == keys[1]["key"]);
  CHECK(map_key("StorageRegistry", "Checkpoints", twox_64(seven), seven) == keys[2]["key"]);
  CHECK(map_key("System", "BlockHash", twox_64(one), one) == keys[3]["key"]);
  CHECK(storage_prefix("System", "Number") == keys[4]["key"]);
  CHECK(keys.size() == 6);  // the last is ":code", which is plain text
}

TEST_CASE("SHA-2 gives the digests of FIPS 180-4's examples") {
  CHECK(to_hex(sha256(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha512(as_bytes("abc"))) ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3"
        "feebbd454d4423643ce80e2a9ac94fa54ca49f");
  CHECK(to_hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a domain tag names the thing and the version") {
  CHECK(as_text(domain_tag("receipt")) == "tallystick/receipt/v1");
}

}  // namespace tally::vectors
