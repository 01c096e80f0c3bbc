// What arweave-js and arbundles made, checked by us: tests/vectors/arweave.
#include "tests/vectors/vectors.hpp"

#include "client-sdk/arweave/bundle.hpp"
#include "client-sdk/arweave/chunk_tree.hpp"
#include "client-sdk/arweave/transaction.hpp"
#include "primitives/base64url.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::arweave {
namespace {

using vectors::bytes_of;
using vectors::cases;
using vectors::Json;
using vectors::load;

Bytes by_rule(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8) * 17 + (i >> 16) * 7);
  }
  return out;
}

Bytes decoded(const Json& base64url) {
  const auto out = from_base64url(base64url.get<std::string>());
  REQUIRE(out.has_value());
  return *out;
}

// The vectors' own base64, which is the plain one with padding.
Bytes decoded_base64(std::string text) {
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return decoded(text);
}

template <std::size_t N>
std::string hex(const std::array<std::uint8_t, N>& bytes) {
  return to_hex(bytes);
}

// Blobs are kept alive in `blobs` while a DeepValue looks at them.
DeepValue deep_value(const Json& input, std::vector<std::unique_ptr<Bytes>>& blobs) {
  if (input.is_string()) {
    blobs.push_back(std::make_unique<Bytes>(bytes_of(input)));
    return ByteView(*blobs.back());
  }
  std::vector<DeepValue> list;
  for (const Json& item : input) list.push_back(deep_value(item, blobs));
  return list;
}

RsaKey wallet(int bits) {
  for (const Json& entry : cases("arweave/jwk.json", "keys")) {
    if (entry.at("bits") != bits) continue;
    auto key = RsaKey::from_jwk(entry.at("jwk").dump());
    REQUIRE(key.ok());
    return *key;
  }
  FAIL("no such key among the vectors");
  return RsaKey::generate();
}

TEST_CASE("Deep hashes", "[vectors]") {
  for (const Json& c : cases("arweave/deephash.json", "cases")) {
    INFO(c.at("name"));
    std::vector<std::unique_ptr<Bytes>> blobs;
    CHECK(hex(deep_value(c.at("input_hex"), blobs).hash()) == c.at("sha384_hex"));
  }
}

void check_chunks(const Json& c, const Bytes& data, const ChunkTree& tree) {
  REQUIRE(tree.chunks.size() == c.at("chunks").size());
  for (std::size_t i = 0; i < tree.chunks.size(); ++i) {
    const Json& expected = c.at("chunks")[i];
    const Chunk& chunk = tree.chunks[i];
    CHECK(chunk.begin == expected.at("min"));
    CHECK(chunk.end == expected.at("max"));
    CHECK(chunk.offset() == expected.at("proof_offset"));
    CHECK(to_base64url(chunk.path) == expected.at("data_path"));
    const ChunkPlace place{tree.root, data.size(), chunk.offset()};
    const ByteView bytes = ByteView(data).subspan(chunk.begin, chunk.end - chunk.begin);
    const auto bounds = check_chunk(place, chunk.path, bytes);
    REQUIRE(bounds.has_value());
    CHECK(bounds->begin == expected.at("validated").at("leftBound"));
    CHECK(bounds->end == expected.at("validated").at("rightBound"));
    CHECK(hex(bounds->data_hash) == expected.at("data_hash"));
  }
}

TEST_CASE("Chunk trees and proofs", "[vectors]") {
  for (const Json& c : cases("arweave/merkle.json", "cases")) {
    INFO(c.at("size"));
    const Bytes data = by_rule(c.at("size"));
    REQUIRE(hex(sha256(data)) == c.at("data_sha256"));
    const ChunkTree tree = build_chunk_tree(data);
    CHECK(to_base64url(tree.root) == c.at("tree_root"));
    CHECK(tree.leaves == c.at("leaves_in_tree"));
    const Transaction tx = Transaction::for_data(data, {});
    CHECK((tx.data_root ? to_base64url(*tx.data_root) : "") == c.at("tx_data_root"));
    CHECK(std::to_string(tx.data_size) == c.at("tx_data_size"));
    check_chunks(c, data, tree);
  }
}

TEST_CASE("Wallets as JWK", "[vectors]") {
  for (const Json& entry : cases("arweave/jwk.json", "keys")) {
    const RsaKey key = wallet(entry.at("bits"));
    CHECK(address_of(key.modulus()) == entry.at("address"));
    CHECK(Json::parse(key.to_jwk()) == entry.at("jwk"));
    const Bytes signature = key.sign(as_bytes("message"));
    CHECK(rsa_verify(key.modulus(), as_bytes("message"), signature));
    CHECK_FALSE(rsa_verify(key.modulus(), as_bytes("massage"), signature));
  }
}

TEST_CASE("Transactions", "[vectors]") {
  for (const Json& c : cases("arweave/transactions.json", "cases")) {
    INFO(c.at("label") << ", " << c.at("bits") << " bits");
    Json json = c.at("tx");
    const bool by_rule_data = c.contains("data_rule");
    if (by_rule_data) json["data"] = "";
    const auto tx = Transaction::from_json(json.dump());
    REQUIRE(tx.ok());
    CHECK(tx->id() == c.at("id"));
    CHECK(hex(tx->signature_data()) == c.at("signature_data_hex"));
    CHECK(tx->is_valid());
    CHECK(*Transaction::from_json(tx->to_json()) == *tx);
    if (c.contains("post_body")) CHECK(tx->to_json() == c.at("post_body"));
    Transaction other = *tx;
    other.reward_winston += 1;
    CHECK_FALSE(other.is_valid());
    other = *tx;
    other.signature.back() ^= 1;
    CHECK_FALSE(other.is_valid());
    if (by_rule_data) {
      const Bytes data = by_rule(c.at("data_size"));
      CHECK(build_chunk_tree(data).root == tx->data_root);
    }
  }
}

Bytes data_of(const Json& c, const Json& descriptions) {
  const std::string description = descriptions.at(c.at("label").get<std::string>());
  if (description == "empty") return {};
  if (description.starts_with("utf8 ")) return to_bytes(as_bytes(description.substr(5)));
  REQUIRE(description.starts_with("rule, "));
  return by_rule(c.at("data_size"));
}

std::optional<KeyPair> account_key(const Json& keys, int type) {
  const KeyScheme scheme = type == 2 ? KeyScheme::ed25519 : KeyScheme::ecdsa;
  const Json& secret =
      type == 2 ? keys.at("type2").at("seed_hex") : keys.at("type3").at("private_hex");
  return KeyPair::from_secret(scheme, *Secret::from(bytes_of(secret)));
}

ItemContent content_of(const Json& c, const Json& descriptions) {
  const Json& options = c.at("opts");
  ItemContent out{{}, data_of(c, descriptions)};
  for (const Json& tag : options.value("tags", Json::array())) {
    out.tags.push_back({tag.at("name"), tag.at("value")});
  }
  const auto copy = [](ByteView bytes) {
    Hash256 id{};
    REQUIRE(bytes.size() == id.size());
    std::copy(bytes.begin(), bytes.end(), id.begin());
    return id;
  };
  if (options.contains("target")) out.target = copy(decoded(options.at("target")));
  if (options.contains("anchor")) {
    out.anchor = copy(as_bytes(options.at("anchor").get_ref<const std::string&>()));
  }
  return out;
}

void check_item(const Json& c, const DataItem& item) {
  CHECK(item.id() == c.at("id"));
  CHECK(static_cast<int>(item.type) == c.at("signature_type"));
  CHECK(to_hex(item.signature) == c.at("signature_hex"));
  CHECK(to_base64url(item.owner) == c.at("owner_b64url"));
  CHECK(address_of(item.owner) == c.at("owner_address"));
  CHECK(hex(item.signature_data()) == c.at("signature_data_hex"));
  CHECK(to_hex(*encode_tags(item.content.tags)) == c.at("tags_avro_hex"));
  const Bytes raw = item.encode();
  CHECK(raw.size() == c.at("raw_size"));
  CHECK(hex(sha256(raw)) == c.at("raw_sha256"));
  CHECK(item.is_valid());
}

TEST_CASE("Data items", "[vectors]") {
  const Json file = load("arweave/dataitems.json");
  for (const Json& c : cases("arweave/dataitems.json", "cases")) {
    const int type = c.at("signature_type");
    INFO("type " << type << ", " << c.at("label"));
    const ItemContent content = content_of(c, file.at("data"));
    if (type == 1) {
      const DataItem made{SignatureType::arweave, bytes_of(c.at("signature_hex")),
                          decoded(c.at("owner_b64url")), content};
      check_item(c, made);
      CHECK(sign_item(wallet(4096), content).is_valid());
    } else {
      check_item(c, sign_item(*account_key(file.at("keys"), type), content));
    }
    if (c.contains("raw_b64")) {
      const auto item = DataItem::decode(decoded_base64(c.at("raw_b64")));
      REQUIRE(item.ok());
      CHECK(item->content == content);
      check_item(c, *item);
    }
  }
}

TEST_CASE("Bundles", "[vectors]") {
  const Json file = load("arweave/bundle.json");
  const Bytes raw = decoded_base64(file.at("raw_b64"));
  REQUIRE(hex(sha256(raw)) == file.at("raw_sha256"));
  const auto items = decode_bundle(raw);
  REQUIRE(items.ok());
  REQUIRE(items->size() == file.at("item_ids").size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    CHECK((*items)[i].id() == file.at("item_ids")[i]);
    CHECK((*items)[i].encode().size() == file.at("item_sizes")[i]);
    CHECK((*items)[i].is_valid());
  }
  CHECK(encode_bundle(*items) == raw);
}

}  // namespace
}  // namespace tally::arweave
