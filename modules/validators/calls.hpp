// Calls of the validators module. report_equivocation is operational: a full block cannot keep
// evidence out.
//
// Proof of possession: the consensus key signs possession_bytes, and the VRF key proves over them.
// They bind both keys to one chain and one account, so that nobody registers another's key.
#pragma once

#include <variant>

#include "modules/support/context.hpp"
#include "modules/validators/types.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/crypto/vrf.hpp"

namespace tally::validators {

struct Keys {
  Ed25519Key consensus_key;
  VrfKey vrf_key;
  Ed25519Signature consensus_proof;
  VrfProof vrf_proof;
  friend bool operator==(const Keys&, const Keys&) = default;
};
TALLY_DESCRIBE(Keys, consensus_key, vrf_key, consensus_proof, vrf_proof);

// The bytes that both keys of an account prove over on a chain.
struct KeyOwner {
  Hash genesis_hash;
  AccountId account;
};
Bytes possession_bytes(const KeyOwner& owner, const Ed25519Key& consensus_key,
                       const VrfKey& vrf_key);
struct KeySecrets {
  Secret consensus;
  Secret vrf;
};
Keys prove_keys(const KeyOwner& owner, const KeySecrets& secrets);

// Registers the caller as a validator; it may be named from the epoch after the next.
struct Bond {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "bond";
  Keys own_keys;
  Compact<Balance> amount;
  friend bool operator==(const Bond&, const Bond&) = default;
};
TALLY_DESCRIBE(Bond, own_keys, amount);

// Also brings back a validator that is leaving.
struct BondMore {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "bond_more";
  Compact<Balance> amount;
  friend bool operator==(const BondMore&, const BondMore&) = default;
};
TALLY_DESCRIBE(BondMore, amount);

// Takes a part of the bond back, or all of it, which ends the validator.
struct Unbond {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "unbond";
  Compact<Balance> amount;
  friend bool operator==(const Unbond&, const Unbond&) = default;
};
TALLY_DESCRIBE(Unbond, amount);

struct Delegate {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "delegate";
  AccountId validator;
  Compact<Balance> amount;
  friend bool operator==(const Delegate&, const Delegate&) = default;
};
TALLY_DESCRIBE(Delegate, validator, amount);

struct Undelegate {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "undelegate";
  AccountId validator;
  Compact<Balance> amount;
  friend bool operator==(const Undelegate&, const Undelegate&) = default;
};
TALLY_DESCRIBE(Undelegate, validator, amount);

// Releases what the caller has taken back from `validator` (itself, or the one it delegated to) and
// is due.
struct Withdraw {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "withdraw";
  AccountId validator;
  friend bool operator==(const Withdraw&, const Withdraw&) = default;
};
TALLY_DESCRIBE(Withdraw, validator);

// New keys, from the epoch after the next.
struct SetKeys {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "set_keys";
  Keys own_keys;
  friend bool operator==(const SetKeys&, const SetKeys&) = default;
};
TALLY_DESCRIBE(SetKeys, own_keys);

// After downtime: the caller may be named again.
struct Rejoin {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "rejoin";
  friend bool operator==(const Rejoin&, const Rejoin&) = default;
};
TALLY_DESCRIBE(Rejoin);

// Anyone.
struct ReportEquivocation {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "report_equivocation";
  Evidence evidence;
  friend bool operator==(const ReportEquivocation&, const ReportEquivocation&) = default;
};
TALLY_DESCRIBE(ReportEquivocation, evidence);

using Call = std::variant<Bond, BondMore, Unbond, Delegate, Undelegate, Withdraw, SetKeys, Rejoin,
                          ReportEquivocation>;

CallProperties properties(const Call& call);

}  // namespace tally::validators
