// Signatures that cost a hash instead of a curve, for many nodes in one process. A fake signature
// is H(key ‖ message): whoever knows the public key could forge it, but the simulated adversaries
// only sign with keys that are theirs. VRF proofs are real where the runtime derives the beacon
// from them, and so are votes where the runtime judges evidence; each is made and verified once for
// all nodes, and what a simulated validator signed or proved is known to hold.
#pragma once

#include <functional>
#include <map>

#include "node/ports/signer.hpp"
#include "node/ports/verifier.hpp"

namespace tally::sim {

Ed25519Signature fake_sign(ByteView key, ByteView message);
Secret sim_secret(std::string_view purpose, std::uint64_t index);

// Shared by all nodes of a world.
struct SharedCache {
  std::map<Bytes, std::optional<VrfOutput>> known;
  bool real_votes = false;
  bool real_proofs = true;
  std::map<Hash, bool> votes;             // by H(key ‖ message ‖ signature): whether it holds
  std::map<Hash, Ed25519Signature> made;  // by H(key ‖ message); Ed25519 is deterministic

  bool holds(const Ed25519Key& key, ByteView message, const Ed25519Signature& signature);
};

struct SimKeys {
  Secret consensus_secret;
  KeyPair consensus;
  Ed25519Key consensus_key;
  Secret vrf_secret;
  VrfKey vrf_key;
};
const SimKeys& sim_keys(std::uint64_t validator);

class FakeSigner final : public ports::Signer {
 public:
  // Signs for real where the cache says so.
  explicit FakeSigner(std::uint64_t validator, SharedCache* cache = nullptr);
  Ed25519Key consensus_key() const override { return keys_.consensus_key; }
  Ed25519Signature sign(ByteView message) const override;
  VrfProof prove(ByteView alpha) const override;
  VrfKey vrf_key() const { return keys_.vrf_key; }
  const Secret& consensus_secret() const { return keys_.consensus_secret; }
  const Secret& vrf_secret() const { return keys_.vrf_secret; }

 private:
  SharedCache* cache_;
  const SimKeys& keys_;
  mutable std::map<Bytes, VrfProof> proofs_;  // one each; a restarted leader proves the same again
};

class FakeVerifier final : public ports::Verifier {
 public:
  using Later = std::function<void(std::uint64_t ticket, std::vector<bool> results)>;
  FakeVerifier(SharedCache& cache, Later later) : cache_(cache), later_(std::move(later)) {}

  bool verify(const Ed25519Key& key, ByteView message,
              const Ed25519Signature& signature) const override;
  std::optional<VrfOutput> verify_vrf(const VrfKey& key, ByteView alpha,
                                      const VrfProof& proof) const override;
  std::vector<bool> check(const std::vector<ports::SignatureJob>& jobs) const override;
  void check_later(std::uint64_t ticket, std::vector<ports::SignatureJob> jobs) override;

 private:
  SharedCache& cache_;
  Later later_;
};

}  // namespace tally::sim
