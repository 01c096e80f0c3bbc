#include "node/network/handshake.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::network {

Bytes proof_statement(const ProofContext& context) {
  Bytes out = domain_tag("peer");
  append(out, context.genesis);
  append(out, context.exporter);
  out.push_back(static_cast<std::uint8_t>(context.role));
  return out;
}

Hello make_hello(const std::optional<ValidatorProver>& prover, const ProofContext& own) {
  Hello hello;
  hello.genesis = own.genesis;
  const auto signature =
      prover ? prover->sign(proof_statement(own)) : std::optional<Ed25519Signature>();
  if (signature) hello.validator = ValidatorProof{prover->key, *signature};
  return hello;
}

std::optional<HelloRefusal> judge_hello(const Hello& hello, const ProofContext& peer) {
  if (hello.version != kProtocolVersion) {
    return HelloRefusal{GoodbyeCode::wrong_version, "expected peer protocol version " +
                                                        std::to_string(kProtocolVersion) +
                                                        ", came " + std::to_string(hello.version) +
                                                        "; one of the two nodes needs an update"};
  }
  if (hello.genesis != peer.genesis) {
    return HelloRefusal{GoodbyeCode::wrong_chain,
                        "peer is on another chain: expected genesis " + to_hex(peer.genesis) +
                            ", came " + to_hex(hello.genesis) +
                            "; compare the chain specs (--chain) of both nodes"};
  }
  if (!hello.validator) return std::nullopt;
  const ValidatorProof& proof = *hello.validator;
  if (!ed25519_verify(proof.key, proof_statement(peer), proof.signature)) {
    return HelloRefusal{GoodbyeCode::bad_validator_proof,
                        "peer claims to be validator " + to_hex(proof.key) +
                            " but its signature does not hold for this connection"};
  }
  return std::nullopt;
}

}  // namespace tally::network
