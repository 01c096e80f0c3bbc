// The validator's keys. A node without them is an observer.
//
// KeyHolder is what consensus asks: it may be a process of its own, which can be away and can
// refuse, so that every signature may fail to come; nothing is then signed, and the caller goes on
// without it. Signer is one that has the secrets in memory and always answers.
#pragma once

#include <optional>
#include <string>

#include "primitives/crypto/sign.hpp"
#include "primitives/crypto/vrf.hpp"

namespace tally::ports {

class KeyHolder {
 public:
  virtual ~KeyHolder() = default;
  virtual Ed25519Key consensus_key() const = 0;
  // Nothing: away() says that nobody answers, refused() why the holder would not.
  virtual std::optional<Ed25519Signature> try_sign(ByteView message) const = 0;
  virtual std::optional<VrfProof> try_prove(ByteView alpha) const = 0;

  // Why no signature can be had at the moment; nothing: it can.
  virtual std::optional<std::string> away() const = 0;
  // Why the holder refused what it was last asked for; nothing: it did not.
  virtual std::optional<std::string> refused() const = 0;
};

class Signer : public KeyHolder {
 public:
  virtual Ed25519Signature sign(ByteView message) const = 0;
  virtual VrfProof prove(ByteView alpha) const = 0;

  std::optional<Ed25519Signature> try_sign(ByteView message) const final { return sign(message); }
  std::optional<VrfProof> try_prove(ByteView alpha) const final { return prove(alpha); }
  std::optional<std::string> away() const final { return std::nullopt; }
  std::optional<std::string> refused() const final { return std::nullopt; }
};

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
