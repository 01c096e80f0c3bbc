#include "primitives/extrinsic.hpp"

#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::vectors {
namespace {

Era era_of(const Json& hex) {
  const auto era = decode<Era>(bytes_of(hex));
  REQUIRE(era.ok());
  return *era;
}

SignedExtra extra_of(const Json& v) {
  return {era_of(v["era"]),
          {Nonce(v["nonce"].get<std::uint32_t>())},
          {Balance(*parse_decimal(v["tip"].get<std::string>()))}};
}

SignedAdditional additional_of(const Json& v) {
  return {v["spec_version"].get<std::uint32_t>(), v["transaction_version"].get<std::uint32_t>(),
          fixed_of<Hash>(v["genesis_hash"]), fixed_of<Hash>(v["block_hash"])};
}

KeyPair signer_of(const Json& v) {
  return *key_from_uri(v["signer"]["type"] == "ecdsa" ? KeyScheme::ecdsa : KeyScheme::ed25519,
                       v["signer"]["uri"].get<std::string>());
}

// The extension set that the chain has; the other one carries a metadata hash mode as well.
std::vector<Json> signed_vectors() {
  std::vector<Json> out;
  for (const Json& v : cases("substrate/extrinsics.json", "signed")) {
    if (v["extension_set"] == "without_metadata_hash") out.push_back(v);
  }
  REQUIRE(out.size() >= 6);
  return out;
}

Bytes negative(std::string_view why) {
  for (const Json& v : cases("substrate/extrinsics.json", "negative")) {
    if (v["why"].get<std::string>().starts_with(why)) return bytes_of(v["extrinsic"]);
  }
  FAIL("no such vector: " << why);
  return {};
}

}  // namespace

TEST_CASE("eras are encoded, born and dead as the clients have it") {
  for (const Json& v : cases("substrate/era.json", "encode")) {
    const BlockNumber current(v["current"].get<std::uint32_t>());
    const Era era = Era::mortal(v["period_requested"].get<std::uint64_t>(), current);
    CAPTURE(v.dump());
    CHECK(to_hex_prefixed(encode(era)) == v["hex"]);
    CHECK(era.period == v["period"]);
    CHECK(era.phase == v["phase"]);
    CHECK(era.birth(current) == BlockNumber(v["birth"].get<std::uint32_t>()));
    CHECK(era.death(current) == BlockNumber(v["death"].get<std::uint32_t>()));
    CHECK(era_of(v["hex"]) == era);
  }
}

TEST_CASE("eras are decoded as the clients decode them") {
  for (const Json& v : cases("substrate/era.json", "decode")) {
    const Era era = era_of(v["hex"]);
    const bool immortal = v["decoded"] == "immortal";
    CHECK(era.is_immortal() == immortal);
    if (immortal) continue;
    CHECK(era.period == v["decoded"]["period"]);
    CHECK(era.phase == v["decoded"]["phase"]);
  }
}

TEST_CASE("every pair of era bytes is refused or is the one encoding of its era") {
  std::size_t accepted = 0;
  for (unsigned value = 0; value < 65'536; ++value) {
    const Bytes raw = {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8)};
    const auto era = decode<Era>(raw);
    if (!era.ok()) continue;
    ++accepted;
    REQUIRE(era->period >= 4);
    REQUIRE(era->phase < era->period);
    REQUIRE(encode(*era) == raw);
  }
  // Periods 4 to 4096 have as many phases as blocks, 8192 to 65536 have 4096 each.
  CHECK(accepted == 4 * 2047 + 4 * 4096);
  CHECK(decode<Era>(Bytes{0}).ok());
  CHECK_FALSE(decode<Era>(Bytes{0, 0}).ok());
  CHECK_FALSE(decode<Era>(Bytes{5}).ok());
}

TEST_CASE("an era covers the block it was made for, and dies within its period") {
  for (std::uint32_t current : {0u, 1u, 63u, 64u, 4'095u, 65'535u, 70'001u, 4'294'967'295u}) {
    for (std::uint64_t period : {0u, 1u, 4u, 5u, 64u, 100u, 4'096u, 8'192u, 65'536u, 1'000'000u}) {
      const Era era = Era::mortal(period, BlockNumber(current));
      CAPTURE(current, period);
      CHECK(decode<Era>(encode(era)).ok());
      CHECK(era.birth(BlockNumber(current)).value <= current);
      CHECK(current - era.birth(BlockNumber(current)).value < std::max(era.period >> 12, 1u));
      CHECK(era.death(BlockNumber(current))->value >= current);
    }
  }
  CHECK_FALSE(Era::immortal().death(BlockNumber(5)));
  CHECK(Era::immortal().birth(BlockNumber(5)) == BlockNumber(0));
}

TEST_CASE("signing payloads are those of the clients") {
  for (const Json& v : signed_vectors()) {
    CAPTURE(v["name"]);
    const Bytes call = bytes_of(v["call"]["hex"]);
    CHECK(to_hex_prefixed(encode(extra_of(v))) == v["extra"]);
    CHECK(to_hex_prefixed(encode(additional_of(v))) == v["additional_signed"]);
    const Bytes message = signing_payload(call, extra_of(v), additional_of(v));
    CHECK(to_hex_prefixed(message) == v["message_signed"]);
    CHECK((message.size() == 32) == (v["payload_len"].get<int>() > 256));
  }
}

TEST_CASE("signed extrinsics are those of the clients, byte for byte") {
  for (const Json& v : signed_vectors()) {
    CAPTURE(v["name"]);
    const Bytes call = bytes_of(v["call"]["hex"]);
    const Bytes made = sign_extrinsic(signer_of(v), call, extra_of(v), additional_of(v));
    CHECK(to_hex_prefixed(made) == v["extrinsic"]);
    CHECK(to_hex_prefixed(extrinsic_hash(made)) == v["extrinsic_hash"]);
  }
}

TEST_CASE("extrinsics of the clients are decoded, verify and encode to the same bytes") {
  for (const Json& v : signed_vectors()) {
    CAPTURE(v["name"]);
    const Bytes raw = bytes_of(v["extrinsic"]);
    const auto decoded = decode_extrinsic(raw);
    REQUIRE(decoded.ok());
    REQUIRE(decoded->signature);
    CHECK(lookup(decoded->signature->signer) == fixed_of<AccountId>(v["signer"]["account_id"]));
    CHECK(decoded->signature->extra == extra_of(v));
    CHECK(decoded->call == bytes_of(v["call"]["hex"]));
    CHECK(encode_extrinsic(*decoded) == raw);
    const Bytes message =
        signing_payload(decoded->call, decoded->signature->extra, additional_of(v));
    const auto account = *lookup(decoded->signature->signer);
    CHECK(verify_signature(account, message, decoded->signature->signature).ok());
    SignedAdditional elsewhere = additional_of(v);
    elsewhere.genesis_hash.bytes[0] ^= 1;
    CHECK_FALSE(verify_signature(
                    account, signing_payload(decoded->call, decoded->signature->extra, elsewhere),
                    decoded->signature->signature)
                    .ok());
  }
}

TEST_CASE("a bare extrinsic is its version and call") {
  const Json v = load("substrate/extrinsics.json")["bare"];
  const Bytes raw = bytes_of(v["extrinsic"]);
  const auto decoded = decode_extrinsic(raw);
  REQUIRE(decoded.ok());
  CHECK_FALSE(decoded->signature);
  CHECK(encode_extrinsic(*decoded) == raw);
  CHECK(to_hex_prefixed(extrinsic_hash(raw)) == v["hash"]);
}

TEST_CASE("malformed extrinsics of the clients are refused, fake signatures parse") {
  const auto error_of = [](const Bytes& raw) { return decode_extrinsic(raw).error(); };
  CHECK(error_of(negative("length prefix too short")) == ExtrinsicError::bad_length);
  CHECK(error_of(negative("version byte 0x85")) == ExtrinsicError::bad_version);
  const auto fake = decode_extrinsic(negative("sr25519 tag"));
  REQUIRE(fake.ok());
  CHECK(std::holds_alternative<SignedSr25519>(fake->signature->signature));
  const auto refused =
      verify_signature(*lookup(fake->signature->signer), {}, fake->signature->signature);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error() == SignatureError::unsupported_scheme);

  const Json first = signed_vectors()[0];
  const auto changed = decode_extrinsic(negative("amount changed"));
  REQUIRE(changed.ok());
  CHECK_FALSE(verify_signature(
                  *lookup(changed->signature->signer),
                  signing_payload(changed->call, changed->signature->extra, additional_of(first)),
                  changed->signature->signature)
                  .ok());
}

TEST_CASE("an extrinsic has one encoding: other prefixes, cuts and tails are refused") {
  const Bytes raw = bytes_of(signed_vectors()[0]["extrinsic"]);
  for (std::size_t size = 0; size < raw.size(); ++size) {
    CHECK_FALSE(decode_extrinsic(ByteView(raw).first(size)).ok());
  }
  Bytes longer = raw;
  longer.push_back(0);
  CHECK(decode_extrinsic(longer).error() == ExtrinsicError::bad_length);
  Bytes wide = *from_hex("02000000");  // the length in four bytes, though two are enough
  const std::size_t body = raw.size() - 2;
  wide[0] = static_cast<std::uint8_t>(body << 2 | 2);
  wide[1] = static_cast<std::uint8_t>(body >> 6);
  append(wide, ByteView(raw).subspan(2));
  CHECK(decode_extrinsic(wide).error() == ExtrinsicError::bad_length);
  CHECK(decode_extrinsic(Bytes{0}).error() == ExtrinsicError::bad_length);
  CHECK(decode_extrinsic(*from_hex("03ffffffff84")).error() == ExtrinsicError::bad_length);
  CHECK(decode_extrinsic(*from_hex("0484")).error() == ExtrinsicError::bad_encoding);
}

TEST_CASE("an address names an account when it holds 32 bytes") {
  AccountId account;
  account.bytes.fill(1);
  CHECK(lookup(AddressId{account}) == account);
  CHECK(lookup(Address32{account}) == account);
  CHECK_FALSE(lookup(AddressIndex{{5}}));
  CHECK_FALSE(lookup(AddressRaw{Bytes(32)}));
  CHECK_FALSE(lookup(Address20{}));
}

}  // namespace tally::vectors
