#include "tests/sim/fake_crypto.hpp"

#include <cstring>

#include "primitives/crypto/hash.hpp"

namespace tally::sim {

Ed25519Signature fake_sign(ByteView key, ByteView message) {
  Ed25519Signature out;
  const Hash half = blake2_256({key, message});
  std::memcpy(out.bytes.data(), half.bytes.data(), 32);
  std::memcpy(out.bytes.data() + 32, half.bytes.data(), 32);
  return out;
}

Secret sim_secret(std::string_view purpose, std::uint64_t index) {
  return *Secret::from(blake2_256({as_bytes(purpose), encode(index)}));
}

bool SharedCache::holds(const Ed25519Key& key, ByteView message,
                        const Ed25519Signature& signature) {
  if (!real_votes) return fake_sign(key, message) == signature;
  const auto [found, fresh] = votes.try_emplace(blake2_256({key, message, signature}));
  if (fresh) found->second = ed25519_verify(key, message, signature);
  return found->second;
}

FakeSigner::FakeSigner(std::uint64_t validator, SharedCache* cache)
    : cache_(cache),
      secret_(sim_secret("sim-consensus", validator)),
      key_(ed25519_public(secret_)),
      vrf_secret_(sim_secret("sim-vrf", validator)),
      vrf_key_(vrf_public(vrf_secret_)) {}

Ed25519Signature FakeSigner::sign(ByteView message) const {
  if (cache_ == nullptr || !cache_->real_votes) return fake_sign(key_, message);
  const Ed25519Signature signature = ed25519_sign(secret_, message);
  cache_->votes[blake2_256({key_, message, signature})] = true;
  return signature;
}

VrfProof FakeSigner::prove(ByteView alpha) const {
  const auto [found, fresh] = proofs_.try_emplace(to_bytes(alpha));
  if (fresh) found->second = vrf_prove(vrf_secret_, alpha);
  return found->second;
}

bool FakeVerifier::verify(const Ed25519Key& key, ByteView message,
                          const Ed25519Signature& signature) const {
  return cache_.holds(key, message, signature);
}

std::optional<VrfOutput> FakeVerifier::verify_vrf(const VrfKey& key, ByteView alpha,
                                                  const VrfProof& proof) const {
  Bytes id = to_bytes(key);
  append(id, proof);
  append(id, alpha);
  const auto [found, fresh] = cache_.known.try_emplace(std::move(id));
  if (fresh) found->second = vrf_verify(key, alpha, proof);
  return found->second;
}

std::vector<bool> FakeVerifier::check(const std::vector<ports::SignatureJob>& jobs) const {
  std::vector<bool> out;
  for (const ports::SignatureJob& job : jobs) {
    const auto* signature = std::get_if<SignedEd25519>(&job.signature);
    out.push_back(signature != nullptr &&
                  signature->signature == fake_sign(job.account, job.payload));
  }
  return out;
}

void FakeVerifier::check_later(std::uint64_t ticket, std::vector<ports::SignatureJob> jobs) {
  later_(ticket, check(jobs));
}

}  // namespace tally::sim
