// What two nodes say to each other inside TLS before any frame of the core: which chain they are
// on, and which validator, if any, they are.
//
// TLS (1.3, both sides show a certificate) has proved the node keys by then. A validator proves its
// consensus key by a signature over
//
//   "tallystick/peer/v1" ‖ genesis hash ‖ TLS exporter (32 bytes) ‖ role u8 (0 dialled, 1 listened)
//
// The exporter (RFC 8446 section 7.5) differs for every connection and on both sides of a man in
// the middle, so that a proof cannot be passed on; the role keeps it from being sent back.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

#include "primitives/codec/scale.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"

namespace tally::network {

constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::string_view kExporterLabel = "EXPORTER-tallystick-peer-v1";

enum class Role : std::uint8_t { dialer = 0, listener = 1 };
constexpr Role opposite(Role role) {
  return role == Role::dialer ? Role::listener : Role::dialer;
}

using TlsExporter = std::array<std::uint8_t, 32>;

struct ValidatorProof {
  Ed25519Key key;
  Ed25519Signature signature;
  friend bool operator==(const ValidatorProof&, const ValidatorProof&) = default;
};
TALLY_DESCRIBE(ValidatorProof, key, signature);

enum class GoodbyeCode : std::uint8_t {
  shutting_down,
  wrong_chain,
  wrong_version,
  bad_validator_proof,
  misbehaviour,
  banned,
  full,
  duplicate,
};
TALLY_DESCRIBE_ENUM(GoodbyeCode, shutting_down, wrong_chain, wrong_version, bad_validator_proof,
                    misbehaviour, banned, full, duplicate);

struct Hello {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "hello";
  std::uint32_t version = kProtocolVersion;
  Hash genesis;
  std::optional<ValidatorProof> validator;
  friend bool operator==(const Hello&, const Hello&) = default;
};
TALLY_DESCRIBE(Hello, version, genesis, validator);
struct Ping {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "ping";
  std::uint64_t number{};
  friend bool operator==(const Ping&, const Ping&) = default;
};
TALLY_DESCRIBE(Ping, number);
struct Pong {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "pong";
  std::uint64_t number{};
  friend bool operator==(const Pong&, const Pong&) = default;
};
TALLY_DESCRIBE(Pong, number);
struct Goodbye {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "goodbye";
  GoodbyeCode code{};
  friend bool operator==(const Goodbye&, const Goodbye&) = default;
};
TALLY_DESCRIBE(Goodbye, code);
using ControlMessage = std::variant<Hello, Ping, Pong, Goodbye>;

// A validator's consensus key as the transport needs it.
struct ValidatorProver {
  Ed25519Key key;
  std::function<std::optional<Ed25519Signature>(ByteView)> sign;  // nothing: it cannot now
};

struct ProofContext {
  Hash genesis;
  TlsExporter exporter{};
  Role role{};  // of the side that proves
};

Bytes proof_statement(const ProofContext& context);
Hello make_hello(const std::optional<ValidatorProver>& prover, const ProofContext& own);

// Why a Hello is refused, and the words for the operator's log.
struct HelloRefusal {
  GoodbyeCode code{};
  std::string reason;
};
// `peer` is the context in which the other side made its proof.
std::optional<HelloRefusal> judge_hello(const Hello& hello, const ProofContext& peer);

}  // namespace tally::network
