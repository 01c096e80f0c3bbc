// What a channel is, on chain and between its parties.
//
// A is the opener and B the counterparty. Amounts are µCC; times are chain time in milliseconds.
// Odd versions are A's proposals, even ones B's; version 0 is the opening itself.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"

namespace tally::channels {

enum class Side : std::uint8_t { a = 0, b = 1 };
TALLY_DESCRIBE_ENUM(Side, a, b);

constexpr Side other(Side side) {
  return side == Side::a ? Side::b : Side::a;
}
constexpr Side proposer_of(ChannelVersion version) {
  return version.value % 2 == 1 ? Side::a : Side::b;
}
constexpr std::array<Side, 2> kBothSides{Side::a, Side::b};

// One value for each side, A's first.
template <class T>
using PerSide = std::array<T, 2>;
template <class T>
constexpr T& of(Side side, PerSide<T>& values) {
  return values[static_cast<std::size_t>(side)];
}
template <class T>
constexpr const T& of(Side side, const PerSide<T>& values) {
  return values[static_cast<std::size_t>(side)];
}

// What both parties sign. balance_a + balance_b is what the channel holds.
struct ChannelState {
  ChannelId channel_id;
  ChannelVersion version;
  Balance balance_a;
  Balance balance_b;
  Hash receipts_root;              // of the Merkle mountain range over the receipts' hashes
  std::uint64_t receipts_count{};  // how many receipts it holds
  ChannelVersion acked;  // the newest update that the proposer held co-signed when it signed this

  Balance balance(Side side) const { return side == Side::a ? balance_a : balance_b; }
  Side proposer() const { return proposer_of(version); }
  friend bool operator==(const ChannelState&, const ChannelState&) = default;
};
TALLY_DESCRIBE(ChannelState, channel_id, version, balance_a, balance_b, receipts_root,
               receipts_count, acked);

// A state with both signatures; the intent that was signed follows from where it is used.
struct CoSignedState {
  ChannelState state;
  MultiSignature signature_a;
  MultiSignature signature_b;

  const MultiSignature& signature(Side side) const {
    return side == Side::a ? signature_a : signature_b;
  }
  MultiSignature& signature(Side side) { return side == Side::a ? signature_a : signature_b; }
  friend bool operator==(const CoSignedState&, const CoSignedState&) = default;
};
TALLY_DESCRIBE(CoSignedState, state, signature_a, signature_b);

// A change of what the channel holds. Positive: from the account's free credits into the channel.
struct SpliceBody {
  ChannelState state;  // balances after the splice
  BalanceDelta delta_a;
  BalanceDelta delta_b;
  BlockNumber valid_until;  // the last block that may hold the splice

  BalanceDelta delta(Side side) const { return side == Side::a ? delta_a : delta_b; }
  friend bool operator==(const SpliceBody&, const SpliceBody&) = default;
};
TALLY_DESCRIBE(SpliceBody, state, delta_a, delta_b, valid_until);

enum class Phase : std::uint8_t { pending = 0, open = 1, challenge = 2 };
TALLY_DESCRIBE_ENUM(Phase, pending, open, challenge);

// The part of a state that the chain keeps.
struct Position {
  ChannelVersion version;
  Balance balance_a;
  Balance balance_b;
  std::uint64_t receipts_count{};

  Balance balance(Side side) const { return side == Side::a ? balance_a : balance_b; }
  friend bool operator==(const Position&, const Position&) = default;
};
TALLY_DESCRIBE(Position, version, balance_a, balance_b, receipts_count);

// A side is known to have claimed less than it held. The tower, if one showed it first with the
// victim's appointment, gets a tenth of what the cheater loses.
struct FraudMark {
  std::optional<AccountId> tower;
  friend bool operator==(const FraudMark&, const FraudMark&) = default;
};
TALLY_DESCRIBE(FraudMark, tower);

struct Challenge {
  Position standing;  // what settles if nothing newer comes
  TimestampMs started;
  TimestampMs deadline;
  DurationMs period;              // without stretching
  std::optional<Side> requester;  // set: begun by request_close
  bool request_refuted{};         // the requester is proved to have held more than the floor
  PerSide<std::optional<ChannelVersion>> posted;  // the newest version that each side posted
  PerSide<std::optional<FraudMark>> fraud;
  PerSide<Balance> fees_owed;  // transaction fees to be taken from each side's payout
  std::optional<BlockNumber> refuted_in;
  friend bool operator==(const Challenge&, const Challenge&) = default;
};
TALLY_DESCRIBE(Challenge, standing, started, deadline, period, requester, request_refuted, posted,
               fraud, fees_owed, refuted_in);

struct Channel {
  AccountId opener;
  AccountId counterparty;
  DurationMs challenge_period;
  BlockNumber opened_in;  // the block of the call `open`
  Phase phase{};
  PerSide<Balance> held;  // of each account's credits; while pending, b is what B is asked for
  BalanceDelta base_b;    // B's deposit and splices: what it gained is measured from here
  Position floor;
  std::optional<Challenge> challenge;  // exactly in that phase

  const AccountId& account(Side side) const { return side == Side::a ? opener : counterparty; }
  std::optional<Side> side_of(const AccountId& who) const {
    if (who == opener) return Side::a;
    if (who == counterparty) return Side::b;
    return std::nullopt;
  }
  friend bool operator==(const Channel&, const Channel&) = default;
};
TALLY_DESCRIBE(Channel, opener, counterparty, challenge_period, opened_in, phase, held, base_b,
               floor, challenge);

}  // namespace tally::channels
