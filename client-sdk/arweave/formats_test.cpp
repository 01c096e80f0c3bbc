// Properties of the formats: round trips, and that nothing changed is taken for the original.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "client-sdk/arweave/bundle.hpp"
#include "client-sdk/arweave/chunk_tree.hpp"
#include "client-sdk/arweave/transaction.hpp"

namespace tally::arweave {
namespace {

KeyPair key_of(KeyScheme scheme, std::uint8_t seed = 7) {
  std::array<std::uint8_t, 32> secret{};
  secret.fill(seed);
  return *KeyPair::from_secret(scheme, Secret(secret));
}

rc::Gen<std::string> some_text(std::size_t most) {
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange<std::size_t>(1, most + 1), rc::gen::arbitrary<char>()),
      [](const std::pair<std::size_t, char>& drawn) {
        return std::string(drawn.first, drawn.second);
      });
}

rc::Gen<Tags> some_tags() {
  const auto tag = rc::gen::build<Tag>(rc::gen::set(&Tag::name, some_text(20)),
                                       rc::gen::set(&Tag::value, some_text(100)));
  return rc::gen::scale(0.1, rc::gen::container<Tags>(tag));
}

Bytes some_data(std::size_t size, std::uint32_t seed) {
  Bytes out(size);
  for (std::uint8_t& byte : out) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
  return out;
}

// Sizes that lie around the borders of chunks, and others.
rc::Gen<std::size_t> some_size() {
  return rc::gen::map(
      rc::gen::tuple(
          rc::gen::element<std::size_t>(0, kMinChunkBytes, kMaxChunkBytes,
                                        kMaxChunkBytes + kMinChunkBytes, 3 * kMaxChunkBytes),
          rc::gen::inRange(-3, 4)),
      [](const std::tuple<std::size_t, int>& drawn) {
        const auto size = static_cast<std::int64_t>(std::get<0>(drawn)) + std::get<1>(drawn);
        return static_cast<std::size_t>(std::max<std::int64_t>(size, 0));
      });
}

TEST_CASE("Tags come back as they were", "[formats]") {
  CHECK(rc::check("round trip", [] {
    const Tags tags = *some_tags();
    const auto bytes = encode_tags(tags);
    if (!bytes) RC_DISCARD("too many bytes");
    RC_ASSERT(decode_tags(*bytes, tags.size()) == tags);
    RC_ASSERT(!decode_tags(*bytes, tags.size() + 1));
    Bytes longer = *bytes;
    longer.push_back(0);
    RC_ASSERT(!decode_tags(longer, tags.size()));
    for (std::size_t cut = 0; cut < bytes->size(); ++cut) {
      RC_ASSERT(!decode_tags(ByteView(*bytes).first(cut), tags.size()));
    }
  }));
}

TEST_CASE("Tags have limits and one encoding", "[formats]") {
  CHECK(encode_tags(Tags(128, {"n", "v"})).has_value());
  CHECK_FALSE(encode_tags(Tags(129, {"n", "v"})).has_value());
  CHECK_FALSE(encode_tags({{"n", std::string(4096, 'v')}}).has_value());
  CHECK_FALSE(encode_tags({{"", "v"}}).has_value());
  CHECK(encode_tags({})->empty());
  CHECK_FALSE(decode_tags(Bytes{0}, 0).has_value());
  // A size in more bytes than it needs, and a block with a negative count.
  CHECK(decode_tags(Bytes{2, 2, 'n', 2, 'v', 0}, 1).has_value());
  CHECK_FALSE(decode_tags(Bytes{0x82, 0, 2, 'n', 2, 'v', 0}, 1).has_value());
  CHECK_FALSE(decode_tags(Bytes{1, 10, 2, 'n', 2, 'v', 0}, 1).has_value());
  CHECK(transaction_tags_are_valid({{"n", std::string(2047, 'v')}}));
  CHECK_FALSE(transaction_tags_are_valid({{"n", std::string(2048, 'v')}}));
}

TEST_CASE("Every chunk's proof holds, for its chunk only", "[formats]") {
  CHECK(rc::check("proofs", [] {
    const Bytes data = some_data(*some_size(), *rc::gen::arbitrary<std::uint32_t>());
    const ChunkTree tree = build_chunk_tree(data);
    std::uint64_t covered = 0;
    for (const Chunk& chunk : tree.chunks) {
      RC_ASSERT(chunk.begin == covered);
      covered = chunk.end;
      const ByteView bytes = ByteView(data).subspan(chunk.begin, chunk.end - chunk.begin);
      const std::uint64_t inside = *rc::gen::inRange(chunk.begin, chunk.end);
      const ChunkPlace place{tree.root, data.size(), inside};
      const auto bounds = check_chunk(place, chunk.path, bytes);
      RC_ASSERT(bounds.has_value());
      RC_ASSERT(bounds->begin == chunk.begin);
      RC_ASSERT(bounds->end == chunk.end);
      if (chunk.begin > 0) {
        RC_ASSERT(!check_path({tree.root, data.size(), chunk.begin - 1}, chunk.path));
      }
      RC_ASSERT(!check_path({tree.root, data.size(), chunk.end}, chunk.path));
      RC_ASSERT(!check_chunk(place, chunk.path, bytes.first(bytes.size() - 1)));
      Bytes other = to_bytes(bytes);
      other[*rc::gen::inRange<std::size_t>(0, other.size())] ^= 1;
      RC_ASSERT(!check_chunk(place, chunk.path, other));
    }
    RC_ASSERT(covered == data.size());
  }));
}

TEST_CASE("A proof with any byte changed fails", "[formats]") {
  const Bytes data = some_data(3 * kMaxChunkBytes - 1, 1);
  const ChunkTree tree = build_chunk_tree(data);
  for (const Chunk& chunk : tree.chunks) {
    const ChunkPlace place{tree.root, data.size(), chunk.offset()};
    REQUIRE(check_path(place, chunk.path).has_value());
    for (std::size_t i = 0; i < chunk.path.size(); ++i) {
      Bytes path = chunk.path;
      path[i] ^= 0x40;
      CHECK_FALSE(check_path(place, path).has_value());
    }
    for (std::size_t cut = 0; cut < chunk.path.size(); ++cut) {
      CHECK_FALSE(check_path(place, ByteView(chunk.path).first(cut)).has_value());
    }
    Bytes longer = chunk.path;
    longer.resize(longer.size() + 96);
    CHECK_FALSE(check_path(place, longer).has_value());
    ChunkPlace elsewhere = place;
    elsewhere.root[0] ^= 1;
    CHECK_FALSE(check_path(elsewhere, chunk.path).has_value());
  }
  // A proof says how long the data are.
  const Chunk& last = tree.chunks.back();
  CHECK_FALSE(check_path({tree.root, data.size() + 1, last.offset()}, last.path).has_value());
}

TEST_CASE("Data items come back as they were", "[formats]") {
  CHECK(rc::check("round trip", [](bool ed25519, const Bytes& data, bool with_target) {
    ItemContent content{*some_tags(), data};
    if (!item_tags_are_valid(content.tags)) RC_DISCARD("too many bytes");
    if (with_target) content.target.emplace().fill(3);
    const DataItem item =
        sign_item(key_of(ed25519 ? KeyScheme::ed25519 : KeyScheme::ecdsa), content);
    RC_ASSERT(item.is_valid());
    const Bytes raw = item.encode();
    const auto decoded = DataItem::decode(raw);
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == item);
    const std::size_t place = *rc::gen::inRange<std::size_t>(0, raw.size());
    Bytes changed = raw;
    changed[place] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
    const auto other = DataItem::decode(changed);
    const bool taken = other.ok() && other->is_valid();
    RC_ASSERT_FALSE(taken);
  }));
}

TEST_CASE("A data item with any byte changed fails", "[formats]") {
  for (const KeyScheme scheme : {KeyScheme::ed25519, KeyScheme::ecdsa}) {
    ItemContent content{{{"App", "Tallystick"}}, some_data(40, 2)};
    content.anchor.emplace().fill(9);
    const Bytes raw = sign_item(key_of(scheme), content).encode();
    for (std::size_t i = 0; i < raw.size(); ++i) {
      Bytes changed = raw;
      changed[i] ^= 1;
      const auto item = DataItem::decode(changed);
      INFO("byte " << i);
      CHECK((!item.ok() || !item->is_valid()));
    }
  }
}

TEST_CASE("Data items are refused by name", "[formats]") {
  Bytes raw = sign_item(key_of(KeyScheme::ed25519), {{}, some_data(10, 1)}).encode();
  raw[0] = 4;
  CHECK_THAT(DataItem::decode(raw).error().message, Catch::Contains("type 4 (Solana"));
  raw[0] = 7;
  CHECK_THAT(DataItem::decode(raw).error().message, Catch::Contains("typed data"));
  raw[1] = 1;
  CHECK_THAT(DataItem::decode(raw).error().message, Catch::Contains("type 263"));
  CHECK_FALSE(DataItem::decode({}).ok());
  CHECK_FALSE(DataItem::decode(Bytes{2}).ok());
}

TEST_CASE("A size from a stranger costs no memory", "[formats]") {
  // Counts and sizes near 2^64 in otherwise short input.
  Bytes item{2, 0};
  item.resize(2 + 64 + 32 + 2, 1);
  item[item.size() - 2] = item[item.size() - 1] = 0;
  item.resize(item.size() + 16, 0xff);
  CHECK_FALSE(DataItem::decode(item).ok());
  Bytes bundle(32, 0);
  std::fill(bundle.begin(), bundle.begin() + 8, std::uint8_t{0xff});
  CHECK_FALSE(decode_bundle(bundle).ok());
  bundle[31] = 1;
  CHECK_FALSE(decode_bundle(bundle).ok());
}

TEST_CASE("Bundles come back as they were, and are read strictly", "[formats]") {
  std::vector<DataItem> items;
  for (std::uint8_t i = 0; i < 3; ++i) {
    items.push_back(sign_item(key_of(KeyScheme::ed25519, i), {{}, some_data(i * 100u, i)}));
  }
  CHECK(decode_bundle(encode_bundle({}))->empty());
  const Bytes raw = encode_bundle(items);
  CHECK(*decode_bundle(raw) == items);
  for (std::size_t cut = 0; cut < raw.size(); ++cut) {
    CHECK_FALSE(decode_bundle(ByteView(raw).first(cut)).ok());
  }
  Bytes longer = raw;
  longer.push_back(0);
  CHECK_FALSE(decode_bundle(longer).ok());
  // No header or item can be changed unnoticed.
  for (std::size_t i = 0; i < raw.size(); ++i) {
    Bytes changed = raw;
    changed[i] ^= 0x10;
    const auto decoded = decode_bundle(changed);
    const bool all_valid =
        decoded.ok() &&
        std::all_of(decoded->begin(), decoded->end(), [](const auto& it) { return it.is_valid(); });
    INFO("byte " << i);
    CHECK_FALSE(all_valid);
  }
  CHECK(is_bundle(bundle_tags()));
  CHECK_FALSE(is_bundle({{"Bundle-Format", "binary"}}));
}

TEST_CASE("Transactions are read strictly", "[formats]") {
  const RsaKey key = RsaKey::generate();
  const Bytes data = some_data(1000, 3);
  Transaction tx = Transaction::for_data(data, {{"App", "Tallystick"}});
  tx.last_tx = Bytes(48, 1);
  tx.reward_winston = ~std::uint64_t{0};
  tx.data = data;
  tx.sign(key);
  CHECK(tx.is_valid());
  const std::string json = tx.to_json();
  REQUIRE(*Transaction::from_json(json) == tx);
  CHECK(RsaKey::from_jwk(key.to_jwk())->modulus() == key.modulus());

  const auto with = [&](std::string_view from, const std::string& to) {
    std::string out = json;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  for (const std::string& bad :
       {std::string("{}"), std::string("[]"), std::string("null"), json + "x", "x" + json,
        json.substr(0, json.size() - 1), with("\"format\":2", "\"format\":1"),
        with("\"format\":2", "\"format\":\"2\""), with("\"quantity\":\"0\"", "\"quantity\":0"),
        with("\"quantity\":\"0\"", "\"quantity\":\"00\""),
        with("\"quantity\":\"0\"", "\"quantity\":\"-1\""),
        with("\"quantity\":\"0\"", "\"quantity\":\"18446744073709551616\""),
        with("\"data_size\":\"1000\"", "\"data_size\":\"0\""),
        with("\"data_size\":\"1000\"", "\"data_size\":\"1001\""),
        with("\"target\":\"\"", "\"target\":\"AA\""), with("\"target\":\"\"", "\"target\":\"A=\""),
        with("\"id\":\"", "\"id\":\"A")}) {
    INFO(bad.substr(0, 100));
    CHECK_FALSE(Transaction::from_json(bad).ok());
  }
  Transaction other = tx;
  other.data[0] ^= 1;
  CHECK_FALSE(other.is_valid());
  other = tx;
  other.tags[0].value = "tallystick";
  CHECK_FALSE(other.is_valid());
}

TEST_CASE("What is no RSA wallet is refused", "[formats]") {
  for (const std::string_view jwk :
       {"", "{}", "[]", "{\"kty\":\"EC\"}", "{\"kty\":\"RSA\",\"n\":\"AQAB\"}"}) {
    CHECK_FALSE(RsaKey::from_jwk(jwk).ok());
  }
  CHECK_FALSE(rsa_verify({}, {}, {}));
  CHECK_FALSE(rsa_verify(Bytes(512, 0xff), as_bytes("x"), Bytes(512, 1)));
  CHECK_FALSE(rsa_verify(Bytes(256, 0), as_bytes("x"), Bytes(256, 1)));
}

}  // namespace
}  // namespace tally::arweave
