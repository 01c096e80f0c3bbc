#include "primitives/crypto/hash.hpp"
#include "primitives/derivation.hpp"
#include "primitives/ss58.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::vectors {
namespace {

KeyScheme scheme_of(const Json& type) {
  REQUIRE((type == "ecdsa" || type == "ed25519"));
  return type == "ecdsa" ? KeyScheme::ecdsa : KeyScheme::ed25519;
}

std::string public_key_of(const KeyPair& pair) {
  return pair.scheme() == KeyScheme::ecdsa ? to_hex_prefixed(*secp256k1_public(pair.secret()))
                                           : to_hex_prefixed(ed25519_public(pair.secret()));
}

MultiSignature ecdsa_of(const Json& hex) {
  return SignedEcdsa{fixed_of<EcdsaSignature>(hex)};
}

}  // namespace

TEST_CASE("keys of the development phrase are those of the clients, step by step") {
  const Json file = load("substrate/keys.json");
  CHECK(file["dev_phrase"] == kDevPhrase);
  for (const Json& v : file["pairs"]) {
    const KeyScheme scheme = scheme_of(v["type"]);
    const auto uri = v["uri"].get<std::string>();
    CAPTURE(v["type"], uri);
    const auto pair = key_from_uri(scheme, uri == "(root)" ? std::string(kDevPhrase) : uri);
    REQUIRE(pair.ok());
    CHECK(to_hex_prefixed(pair->secret().view()) == v["seed"]);
    CHECK(public_key_of(*pair) == v["public_key"]);
    CHECK(to_hex_prefixed(pair->account()) == v["account_id"]);
    CHECK(to_ss58(pair->account()) == v["ss58_42"]);
    Secret seed = *Secret::from(bytes_of(file["root_mini_secret"]));
    for (const Json& step : v["steps"]) {
      const auto code = chain_code(step["junction"].get<std::string>());
      REQUIRE(code.ok());
      CHECK(to_hex_prefixed(*code) == step["chain_code"]);
      seed = derive_hard(scheme, seed, *code);
      CHECK(to_hex_prefixed(seed.view()) == step["seed"]);
    }
  }
}

TEST_CASE("signatures are those of the clients, byte for byte, and verify") {
  std::size_t signatures = 0;
  for (const Json& v : cases("substrate/keys.json", "pairs")) {
    if (!v.contains("signatures")) continue;
    const auto pair = key_from_uri(scheme_of(v["type"]), v["uri"].get<std::string>());
    REQUIRE(pair.ok());
    for (const Json& s : v["signatures"]) {
      const Bytes message = bytes_of(s["message"]);
      const MultiSignature made = pair->sign(message);
      CHECK(to_hex_prefixed(encode(made)) == s["multisignature"]);
      CHECK(verify_signature(pair->account(), message, made).ok());
      if (s.contains("digest")) CHECK(to_hex_prefixed(blake2_256(message)) == s["digest"]);
      ++signatures;
    }
  }
  CHECK(signatures == 6);
}

// Clients accept the twin with a high s; a node that did would let anyone change a signature.
TEST_CASE("bad ECDSA signatures are refused, and the high-s twin as well") {
  for (const Json& group : cases("substrate/keys.json", "negative")) {
    const auto account = fixed_of<AccountId>(group["account_id"]);
    const Bytes message = bytes_of(group["message"]);
    for (const Json& v : group["cases"]) {
      CAPTURE(v["why"]);
      const bool high_s = v["why"].get<std::string>().starts_with("high-s");
      CHECK(verify_signature(account, message, ecdsa_of(v["signature"])).ok() ==
            (v["js_valid"].get<bool>() && !high_s));
    }
  }
}

TEST_CASE("an ECDSA signature with a recovery id above 3 or zeros for r or s is refused") {
  const KeyPair alice = dev_key(KeyScheme::ecdsa, "Alice");
  const Hash digest = blake2_256(as_bytes("m"));
  const EcdsaSignature good = *ecdsa_sign(alice.secret(), digest);
  REQUIRE(ecdsa_recover(good, digest) == secp256k1_public(alice.secret()));
  for (unsigned v = 0; v < 256; ++v) {
    EcdsaSignature changed = good;
    changed.bytes[64] = static_cast<std::uint8_t>(v);
    const auto key = ecdsa_recover(changed, digest);
    if (v > 3) CHECK_FALSE(key);
    if (v != good.bytes[64]) CHECK(key != secp256k1_public(alice.secret()));
  }
  EcdsaSignature zero = good;
  std::fill_n(zero.bytes.begin(), 32, 0);
  CHECK_FALSE(ecdsa_recover(zero, digest));
  zero = good;
  std::fill_n(zero.bytes.begin() + 32, 32, 0);
  CHECK_FALSE(ecdsa_recover(zero, digest));
  EcdsaSignature overflow = good;
  std::fill_n(overflow.bytes.begin(), 32, 0xff);
  CHECK_FALSE(ecdsa_recover(overflow, digest));
}

TEST_CASE("a secp256k1 scalar is neither zero nor the group order") {
  CHECK_FALSE(secp256k1_public(Secret()));
  CHECK_FALSE(ecdsa_sign(Secret(), {}));
  const Secret order =
      *Secret::from(*from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
  CHECK_FALSE(KeyPair::from_secret(KeyScheme::ecdsa, order));
  CHECK(KeyPair::from_secret(KeyScheme::ed25519, order));
}

TEST_CASE("Ed25519 signatures are strict: order added to s, low-order keys, changed bits") {
  const KeyPair alice = dev_key(KeyScheme::ed25519, "Alice");
  const Ed25519Key key = ed25519_public(alice.secret());
  const ByteView message = as_bytes("tallystick");
  const Ed25519Signature good = ed25519_sign(alice.secret(), message);
  REQUIRE(ed25519_verify(key, message, good));
  CHECK_FALSE(ed25519_verify(key, as_bytes("tallysticK"), good));
  const Bytes order = *from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  Ed25519Signature twin = good;
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += twin.bytes[32 + i] + order[i];
    twin.bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  CHECK_FALSE(ed25519_verify(key, message, twin));
  // With the identity as key and as R, s = 0 would satisfy the equation for every message.
  Ed25519Key identity;
  identity.bytes[0] = 1;
  Ed25519Signature forged;
  forged.bytes[0] = 1;
  CHECK_FALSE(ed25519_verify(identity, message, forged));
}

TEST_CASE("off-chain signatures may be wrapped as browser wallets wrap them, but not hashed") {
  for (const KeyScheme scheme : {KeyScheme::ecdsa, KeyScheme::ed25519}) {
    const KeyPair alice = dev_key(scheme, "Alice");
    const Bytes message(300, 'm');
    Bytes wrapped = to_bytes(as_bytes("<Bytes>"));
    append(wrapped, message);
    append(wrapped, as_bytes("</Bytes>"));
    CHECK(verify_offchain(alice.account(), message, alice.sign(message)).ok());
    CHECK(verify_offchain(alice.account(), message, alice.sign(wrapped)).ok());
    CHECK_FALSE(verify_offchain(alice.account(), message, alice.sign(blake2_256(message))).ok());
    CHECK_FALSE(verify_signature(alice.account(), message, alice.sign(wrapped)).ok());
  }
  const auto refused = verify_offchain({}, {}, SignedSr25519{});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error() == SignatureError::unsupported_scheme);
}

TEST_CASE("a signature of one scheme is nothing for an account of the other") {
  const KeyPair ecdsa = dev_key(KeyScheme::ecdsa, "Alice");
  const KeyPair ed25519 = dev_key(KeyScheme::ed25519, "Alice");
  const ByteView message = as_bytes("m");
  CHECK_FALSE(verify_signature(ecdsa.account(), message, ed25519.sign(message)).ok());
  CHECK_FALSE(verify_signature(ed25519.account(), message, ecdsa.sign(message)).ok());
}

TEST_CASE("mnemonics with and without a password give the seeds of the clients") {
  const Json file = load_own("derivation.json");
  for (const Json& v : file["mnemonics"]) {
    const auto phrase = v["phrase"].get<std::string>();
    CAPTURE(phrase);
    const auto entropy = parse_mnemonic(phrase);
    REQUIRE(entropy.ok());
    CHECK(to_hex_prefixed(entropy->view()) == v["entropy"]);
    CHECK(to_mnemonic(*Entropy::from(bytes_of(v["entropy"]))) == phrase);
    CHECK(to_hex_prefixed(mnemonic_secret(*entropy, v["password"].get<std::string>()).view()) ==
          v["mini_secret"]);
  }
  for (const Json& phrase : file["refused_phrases"]) {
    CAPTURE(phrase);
    CHECK_FALSE(parse_mnemonic(phrase.get<std::string>()).ok());
  }
}

TEST_CASE("the word list is the English list of BIP-39") {
  std::string text;
  for (std::string_view word : mnemonic_words()) text += std::string(word) + "\n";
  CHECK(to_hex(sha256(as_bytes(text))) ==
        "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

TEST_CASE("a fresh mnemonic comes back as the entropy it was made of") {
  for (std::size_t words : {12, 15, 18, 21, 24}) {
    const auto entropy = Entropy::generate(words);
    REQUIRE(entropy);
    const std::string phrase = to_mnemonic(*entropy);
    CHECK(std::count(phrase.begin(), phrase.end(), ' ') == static_cast<int>(words) - 1);
    CHECK(equal(parse_mnemonic(phrase)->view(), entropy->view()));
  }
  CHECK_FALSE(Entropy::generate(13));
  CHECK_FALSE(Entropy::from(Bytes(17)));
}

TEST_CASE("secret URIs give the keys of the clients") {
  const Json file = load_own("derivation.json");
  for (const Json& v : file["uris"]) {
    CAPTURE(v["type"], v["uri"]);
    const auto pair = key_from_uri(scheme_of(v["type"]), v["uri"].get<std::string>());
    REQUIRE(pair.ok());
    CHECK(public_key_of(*pair) == v["public_key"]);
    CHECK(to_hex_prefixed(pair->account()) == v["account_id"]);
    CHECK(to_ss58(pair->account()) == v["address"]);
  }
  for (const Json& v : file["refused_uris"]) {
    CHECK_FALSE(key_from_uri(scheme_of(v["type"]), v["uri"].get<std::string>()).ok());
  }
}

TEST_CASE("secret URIs that clients read in two ways, or nobody can, are refused") {
  const std::string seed = "0x" + std::string(64, '1');
  for (const std::string& uri :
       {std::string(), std::string("//"), std::string("//Alice/"), std::string("//Alice//"),
        std::string("/Alice"), std::string("///"), std::string("///password"),
        std::string("//18446744073709551616"), std::string("//0xab"), std::string("//\xff"),
        std::string("Alice"), std::string("0x12"), seed + "0", seed + "///password",
        "0x" + std::string(64, '0'), std::string(kDevPhrase) + "//Alice/soft"}) {
    CAPTURE(uri);
    CHECK_FALSE(key_from_uri(KeyScheme::ecdsa, uri).ok());
  }
  CHECK(key_from_uri(KeyScheme::ecdsa, seed).ok());
}

TEST_CASE("an error about a secret URI does not repeat the secret") {
  const auto error = key_from_uri(KeyScheme::ecdsa, "correct horse battery staple//Alice").error();
  CHECK(error.message.find("horse") == std::string::npos);
  const auto mnemonic = parse_mnemonic(std::string(kDevPhrase) + "x").error();
  CHECK(mnemonic.message.find("walkx") == std::string::npos);
}

}  // namespace tally::vectors
