#include "node/network/handshake.hpp"

#include <catch2/catch.hpp>

#include "node/network/address.hpp"

using namespace tally;
using namespace tally::network;

namespace {

const Secret kSecret(std::array<std::uint8_t, 32>{1});

ValidatorProver prover() {
  return {ed25519_public(kSecret), [](ByteView bytes) { return ed25519_sign(kSecret, bytes); }};
}

ProofContext context(Role role) {
  ProofContext out;
  out.genesis.bytes.fill(5);
  out.exporter.fill(6);
  out.role = role;
  return out;
}

}  // namespace

TEST_CASE("the statement of a proof is tag, genesis, exporter, role") {
  Bytes expected = to_bytes(as_bytes("tallystick/peer/v1"));
  expected.insert(expected.end(), 32, 5);
  expected.insert(expected.end(), 32, 6);
  expected.push_back(1);
  CHECK(proof_statement(context(Role::listener)) == expected);
}

TEST_CASE("a validator's Hello holds in its own context and in no other") {
  const Hello hello = make_hello(prover(), context(Role::dialer));
  CHECK_FALSE(judge_hello(hello, context(Role::dialer)));

  SECTION("sent back to its maker") {
    CHECK(judge_hello(hello, context(Role::listener))->code == GoodbyeCode::bad_validator_proof);
  }
  SECTION("passed on into another connection") {
    ProofContext other = context(Role::dialer);
    other.exporter[31] ^= 1;
    CHECK(judge_hello(hello, other)->code == GoodbyeCode::bad_validator_proof);
  }
  SECTION("under another validator's key") {
    Hello stolen = hello;
    stolen.validator->key = ed25519_public(Secret(std::array<std::uint8_t, 32>{2}));
    CHECK(judge_hello(stolen, context(Role::dialer))->code == GoodbyeCode::bad_validator_proof);
  }
  SECTION("of another chain") {
    ProofContext other = context(Role::dialer);
    other.genesis.bytes[0] ^= 1;
    const auto refusal = judge_hello(hello, other);
    CHECK(refusal->code == GoodbyeCode::wrong_chain);
    CHECK(refusal->reason.find(to_hex(hello.genesis)) != std::string::npos);
    CHECK(refusal->reason.find(to_hex(other.genesis)) != std::string::npos);
  }
  SECTION("of another version") {
    Hello old = hello;
    old.version = 0;
    CHECK(judge_hello(old, context(Role::dialer))->code == GoodbyeCode::wrong_version);
  }
}

TEST_CASE("a full node's Hello needs no proof") {
  CHECK_FALSE(judge_hello(make_hello({}, context(Role::dialer)), context(Role::dialer)));
}

TEST_CASE("peer addresses") {
  const std::string key(64, 'a');
  const auto v4 = parse_peer_address(key + "@host.example:30333");
  REQUIRE(v4.ok());
  CHECK(v4->host == "host.example");
  CHECK(v4->port == 30333);
  CHECK(to_text(*v4) == key + "@host.example:30333");
  const auto v6 = parse_peer_address(key + "@[::1]:1");
  REQUIRE(v6.ok());
  CHECK(v6->host == "::1");
  CHECK(to_text(*v6) == key + "@[::1]:1");

  for (const std::string& bad :
       {std::string("host:1"), key + "@host", key + "@:1", key + "@host:0", key + "@host:65536",
        key + "@host:1x", key.substr(1) + "@host:1", key + "@::1:5", std::string()}) {
    INFO(bad);
    const auto result = parse_peer_address(bad);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().message.find("expected") != std::string::npos);
  }
}
