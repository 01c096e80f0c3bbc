#include "modules/validators/calls.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::validators {
namespace {

// Picoseconds of reference execution.
constexpr std::uint64_t kBookkeeping = 20'000'000;
constexpr std::uint64_t kSignature = 90'000'000;
constexpr std::uint64_t kVrfProof = 500'000'000;
constexpr std::uint64_t kCandidateScan = 100'000'000;
// Of every delegator that an equivocator may have.
constexpr std::uint64_t kBurn = 4'000'000;

Weight weight_of(const Bond&) {
  return Weight(kBookkeeping + kSignature + kVrfProof + kCandidateScan);
}
Weight weight_of(const BondMore&) {
  return Weight(kBookkeeping);
}
Weight weight_of(const Unbond&) {
  return Weight(kBookkeeping + kCandidateScan);
}
Weight weight_of(const Delegate&) {
  return Weight(kBookkeeping);
}
Weight weight_of(const Undelegate&) {
  return Weight(kBookkeeping);
}
Weight weight_of(const Withdraw&) {
  return Weight(kBookkeeping);
}
Weight weight_of(const SetKeys&) {
  return Weight(kBookkeeping + kSignature + kVrfProof);
}
Weight weight_of(const Rejoin&) {
  return Weight(kBookkeeping);
}
Weight weight_of(const ReportEquivocation&) {
  return Weight(kBookkeeping + 2 * kSignature + kCandidateScan + kMaxDelegators * kBurn);
}

}  // namespace

Bytes possession_bytes(const KeyOwner& owner, const Ed25519Key& consensus_key,
                       const VrfKey& vrf_key) {
  Bytes out = domain_tag("validator-keys");
  append(out, owner.genesis_hash);
  append(out, owner.account);
  append(out, consensus_key);
  append(out, vrf_key);
  return out;
}

Keys prove_keys(const KeyOwner& owner, const KeySecrets& secrets) {
  Keys keys;
  keys.consensus_key = ed25519_public(secrets.consensus);
  keys.vrf_key = vrf_public(secrets.vrf);
  const Bytes message = possession_bytes(owner, keys.consensus_key, keys.vrf_key);
  keys.consensus_proof = ed25519_sign(secrets.consensus, message);
  keys.vrf_proof = vrf_prove(secrets.vrf, message);
  return keys;
}

CallProperties properties(const Call& call) {
  const bool evidence = std::holds_alternative<ReportEquivocation>(call);
  return {std::visit([](const auto& alternative) { return weight_of(alternative); }, call),
          evidence ? DispatchClass::operational : DispatchClass::normal};
}

}  // namespace tally::validators
