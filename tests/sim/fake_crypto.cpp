#include "tests/sim/fake_crypto.hpp"

#include <cstring>
#include <mutex>

#include "primitives/crypto/hash.hpp"

namespace tally::sim {
namespace {

Bytes vrf_id(const VrfKey& key, ByteView alpha, const VrfProof& proof) {
  Bytes id = to_bytes(key);
  append(id, proof);
  append(id, alpha);
  return id;
}

VrfProof fake_proof(const VrfKey& key, ByteView alpha) {
  VrfProof out;
  const Hash half = blake2_256({key, alpha});
  std::memcpy(out.bytes.data(), half.bytes.data(), 32);
  return out;
}

}  // namespace

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

// Keys are derived once a process: three curve multiplications each otherwise.
const SimKeys& sim_keys(std::uint64_t validator) {
  static std::mutex mutex;
  static std::map<std::uint64_t, SimKeys> known;
  const std::lock_guard lock(mutex);
  const auto [found, fresh] = known.try_emplace(validator);
  if (fresh) {
    SimKeys& keys = found->second;
    keys.consensus_secret = sim_secret("sim-consensus", validator);
    keys.consensus = *KeyPair::from_secret(KeyScheme::ed25519, keys.consensus_secret);
    keys.consensus_key.bytes = keys.consensus.account().bytes;
    keys.vrf_secret = sim_secret("sim-vrf", validator);
    keys.vrf_key = vrf_public(keys.vrf_secret);
  }
  return found->second;
}

FakeSigner::FakeSigner(std::uint64_t validator, SharedCache* cache)
    : cache_(cache), keys_(sim_keys(validator)) {}

Ed25519Signature FakeSigner::sign(ByteView message) const {
  if (cache_ == nullptr || !cache_->real_votes) return fake_sign(keys_.consensus_key, message);
  const auto [made, fresh] = cache_->made.try_emplace(blake2_256({keys_.consensus_key, message}));
  if (fresh) {
    made->second = std::get<SignedEd25519>(keys_.consensus.sign(message)).signature;
    cache_->votes[blake2_256({keys_.consensus_key, message, made->second})] = true;
  }
  return made->second;
}

VrfProof FakeSigner::prove(ByteView alpha) const {
  const auto [found, fresh] = proofs_.try_emplace(to_bytes(alpha));
  if (!fresh) return found->second;
  if (cache_ != nullptr && !cache_->real_proofs) {
    found->second = fake_proof(keys_.vrf_key, alpha);
  } else {
    found->second = vrf_prove(keys_.vrf_secret, alpha);
    if (cache_ != nullptr) {
      cache_->known[vrf_id(keys_.vrf_key, alpha, found->second)] = vrf_proof_to_hash(found->second);
    }
  }
  return found->second;
}

bool FakeVerifier::verify(const Ed25519Key& key, ByteView message,
                          const Ed25519Signature& signature) const {
  return cache_.holds(key, message, signature);
}

std::optional<VrfOutput> FakeVerifier::verify_vrf(const VrfKey& key, ByteView alpha,
                                                  const VrfProof& proof) const {
  if (!cache_.real_proofs) {
    if (fake_proof(key, alpha) != proof) return std::nullopt;
    VrfOutput out;
    std::memcpy(out.bytes.data(), proof.bytes.data(), 32);
    return out;
  }
  const auto [found, fresh] = cache_.known.try_emplace(vrf_id(key, alpha, proof));
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
