// Events of the validators module. Amounts are µCC.
#pragma once

#include <variant>

#include "modules/validators/types.hpp"

namespace tally::validators {

// The block with this event was the last of the epoch before.
struct EpochStarted {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "EpochStarted";
  Epoch epoch;
  Hash randomness;
  friend bool operator==(const EpochStarted&, const EpochStarted&) = default;
};
TALLY_DESCRIBE(EpochStarted, epoch, randomness);

struct Bonded {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Bonded";
  AccountId validator;
  Ed25519Key consensus_key;
  VrfKey vrf_key;
  Balance amount;
  friend bool operator==(const Bonded&, const Bonded&) = default;
};
TALLY_DESCRIBE(Bonded, validator, consensus_key, vrf_key, amount);

struct BondRaised {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "BondRaised";
  AccountId validator;
  Balance amount;
  Balance bonded;  // with it
  friend bool operator==(const BondRaised&, const BondRaised&) = default;
};
TALLY_DESCRIBE(BondRaised, validator, amount, bonded);

struct Unbonded {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "Unbonded";
  AccountId validator;
  Balance amount;
  Balance bonded;    // what stays
  Epoch last_epoch;  // it is due Config.unbonding after this epoch's end; 0: after this block
  friend bool operator==(const Unbonded&, const Unbonded&) = default;
};
TALLY_DESCRIBE(Unbonded, validator, amount, bonded, last_epoch);

struct Delegated {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "Delegated";
  AccountId delegator;
  AccountId validator;
  Balance amount;
  friend bool operator==(const Delegated&, const Delegated&) = default;
};
TALLY_DESCRIBE(Delegated, delegator, validator, amount);

struct Undelegated {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "Undelegated";
  AccountId delegator;
  AccountId validator;
  Balance amount;
  Epoch last_epoch;  // as in Unbonded
  friend bool operator==(const Undelegated&, const Undelegated&) = default;
};
TALLY_DESCRIBE(Undelegated, delegator, validator, amount, last_epoch);

struct Withdrawn {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "Withdrawn";
  AccountId account;
  AccountId validator;
  Balance amount;
  friend bool operator==(const Withdrawn&, const Withdrawn&) = default;
};
TALLY_DESCRIBE(Withdrawn, account, validator, amount);

struct KeysChanged {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "KeysChanged";
  AccountId validator;
  Ed25519Key consensus_key;
  VrfKey vrf_key;
  friend bool operator==(const KeysChanged&, const KeysChanged&) = default;
};
TALLY_DESCRIBE(KeysChanged, validator, consensus_key, vrf_key);

// The validator lost everything that was bound for it.
struct EquivocationProved {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "EquivocationProved";
  AccountId validator;
  Epoch epoch;
  View view;
  EvidenceKind kind{};
  AccountId reporter;
  Balance reward;  // of the reporter
  Balance burned;  // own and delegated stake
  friend bool operator==(const EquivocationProved&, const EquivocationProved&) = default;
};
TALLY_DESCRIBE(EquivocationProved, validator, epoch, view, kind, reporter, reward, burned);

// The validator missed most of its views in the epoch that ends: it is not named until `rejoin`.
struct WentDown {
  static constexpr std::uint8_t kIndex = 9;
  static constexpr std::string_view kName = "WentDown";
  AccountId validator;
  Epoch epoch;
  std::uint32_t led{};     // views that it had to lead
  std::uint32_t missed{};  // of those, without its block
  Balance burned;
  friend bool operator==(const WentDown&, const WentDown&) = default;
};
TALLY_DESCRIBE(WentDown, validator, epoch, led, missed, burned);

struct Rejoined {
  static constexpr std::uint8_t kIndex = 10;
  static constexpr std::string_view kName = "Rejoined";
  AccountId validator;
  friend bool operator==(const Rejoined&, const Rejoined&) = default;
};
TALLY_DESCRIBE(Rejoined, validator);

// The header of this block names the set of `epoch`.
struct SetNamed {
  static constexpr std::uint8_t kIndex = 11;
  static constexpr std::string_view kName = "SetNamed";
  Epoch epoch;
  std::uint32_t members{};
  std::uint64_t total_weight{};
  bool carried_over{};  // nobody could be named: the set of the epoch before serves again
  friend bool operator==(const SetNamed&, const SetNamed&) = default;
};
TALLY_DESCRIBE(SetNamed, epoch, members, total_weight, carried_over);

using Event =
    std::variant<EpochStarted, Bonded, BondRaised, Unbonded, Delegated, Undelegated, Withdrawn,
                 KeysChanged, EquivocationProved, WentDown, Rejoined, SetNamed>;

}  // namespace tally::validators
