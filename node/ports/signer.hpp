// Signer: the validator's keys. A node without one is an observer.
#pragma once

#include "primitives/crypto/sign.hpp"
#include "primitives/crypto/vrf.hpp"

namespace tally::ports {

class Signer {
 public:
  virtual ~Signer() = default;
  virtual Ed25519Key consensus_key() const = 0;
  virtual Ed25519Signature sign(ByteView message) const = 0;
  virtual VrfProof prove(ByteView alpha) const = 0;
};

// The production signer: both secrets in memory.
class MemorySigner final : public Signer {
 public:
  MemorySigner(const Secret& consensus, const Secret& vrf) : consensus_(consensus), vrf_(vrf) {}
  Ed25519Key consensus_key() const override { return ed25519_public(consensus_); }
  Ed25519Signature sign(ByteView message) const override {
    return ed25519_sign(consensus_, message);
  }
  VrfProof prove(ByteView alpha) const override { return vrf_prove(vrf_, alpha); }

 private:
  Secret consensus_;
  Secret vrf_;
};

}  // namespace tally::ports
