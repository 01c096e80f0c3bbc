// Votes: the signed statements that consensus is made of.
//
// A statement is tallystick/vote/v1 ‖ genesis hash ‖ epoch u64 ‖ kind u8 ‖ view u64 ‖ hash (zeros
// for Nullify), signed with Ed25519 by a validator's consensus key. A signature stands for one
// statement of one chain, epoch and view and nothing else. Source: Chan and Pass, "Simplex
// Consensus" (IACR 2023/463).
#pragma once

#include <cstdint>
#include <tuple>

#include "primitives/codec/scale.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"

namespace tally {

TALLY_STRONG_INT(ValidatorIndex, std::uint16_t);  // position in the epoch's validator list

enum class VoteKind : std::uint8_t { notarize = 0, nullify = 1, finalize = 2 };
TALLY_DESCRIBE_ENUM(VoteKind, notarize, nullify, finalize);

struct Statement {
  Epoch epoch;
  VoteKind kind{};
  View view;
  Hash hash;  // of the block; zeros for Nullify
  friend bool operator==(const Statement&, const Statement&) = default;
};
// Spelled out because the last field has another name for clients, some of which rename `hash`.
constexpr auto tally_describe(const Statement*) {
  return std::make_tuple(Field{"epoch", &Statement::epoch}, Field{"kind", &Statement::kind},
                         Field{"view", &Statement::view}, Field{"block_hash", &Statement::hash});
}

// The bytes that are signed.
Bytes statement_bytes(const Hash& genesis_hash, const Statement& statement);

struct Vote {
  Statement statement;
  ValidatorIndex signer;
  Ed25519Signature signature;
  friend bool operator==(const Vote&, const Vote&) = default;
};
TALLY_DESCRIBE(Vote, statement, signer, signature);

// How signatures of votes are checked. Production uses Ed25519; a simulator of many nodes in one
// process may share a cache or replace the scheme.
class VoteVerifier {
 public:
  virtual ~VoteVerifier() = default;
  virtual bool verify(const Ed25519Key& key, ByteView message,
                      const Ed25519Signature& signature) const = 0;
};

class Ed25519VoteVerifier final : public VoteVerifier {
 public:
  bool verify(const Ed25519Key& key, ByteView message,
              const Ed25519Signature& signature) const override {
    return ed25519_verify(key, message, signature);
  }
};

}  // namespace tally
