// Events of the channels module. A watcher needs nothing else to follow a channel.
#pragma once

#include <optional>
#include <variant>

#include "modules/channels/types.hpp"

namespace tally::channels {

// How a channel came to its end.
enum class Ending : std::uint8_t {
  co_operative = 0,  // close
  settled = 1,       // the deadline passed
  fraud = 2,         // a participant proved that the other claimed less than it held
};
TALLY_DESCRIBE_ENUM(Ending, co_operative, settled, fraud);

// Where every µCC of a channel went: they add up to what it held.
struct Payouts {
  Balance to_a;
  Balance to_b;
  Balance to_towers;
  Balance settlement_fee;    // half burned, half to the reward pool
  Balance transaction_fees;  // of refuters without free funds
  friend bool operator==(const Payouts&, const Payouts&) = default;
};
TALLY_DESCRIBE(Payouts, to_a, to_b, to_towers, settlement_fee, transaction_fees);

// Open, or waiting for the counterparty.
struct ChannelOpened {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "ChannelOpened";
  ChannelId channel_id;
  AccountId opener;
  AccountId counterparty;
  Balance deposit_a;
  Balance deposit_b;
  DurationMs challenge_period;
  bool pending{};
  friend bool operator==(const ChannelOpened&, const ChannelOpened&) = default;
};
TALLY_DESCRIBE(ChannelOpened, channel_id, opener, counterparty, deposit_a, deposit_b,
               challenge_period, pending);

struct ChannelAccepted {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "ChannelAccepted";
  ChannelId channel_id;
  friend bool operator==(const ChannelAccepted&, const ChannelAccepted&) = default;
};
TALLY_DESCRIBE(ChannelAccepted, channel_id);

struct ChannelCancelled {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "ChannelCancelled";
  ChannelId channel_id;
  friend bool operator==(const ChannelCancelled&, const ChannelCancelled&) = default;
};
TALLY_DESCRIBE(ChannelCancelled, channel_id);

// A challenge began, with this version standing.
struct ChallengeStarted {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "ChallengeStarted";
  ChannelId channel_id;
  Side by{};
  bool requested{};  // by request_close
  ChannelVersion version;
  TimestampMs deadline;
  friend bool operator==(const ChallengeStarted&, const ChallengeStarted&) = default;
};
TALLY_DESCRIBE(ChallengeStarted, channel_id, by, requested, version, deadline);

struct ChallengeRefuted {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "ChallengeRefuted";
  ChannelId channel_id;
  AccountId by;
  ChannelVersion version;
  TimestampMs deadline;
  friend bool operator==(const ChallengeRefuted&, const ChallengeRefuted&) = default;
};
TALLY_DESCRIBE(ChallengeRefuted, channel_id, by, version, deadline);

struct FraudProved {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "FraudProved";
  ChannelId channel_id;
  Side cheater{};
  AccountId by;
  friend bool operator==(const FraudProved&, const FraudProved&) = default;
};
TALLY_DESCRIBE(FraudProved, channel_id, cheater, by);

// The lane for operational calls was busy: the deadline moved.
struct DeadlineMoved {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "DeadlineMoved";
  ChannelId channel_id;
  TimestampMs deadline;
  friend bool operator==(const DeadlineMoved&, const DeadlineMoved&) = default;
};
TALLY_DESCRIBE(DeadlineMoved, channel_id, deadline);

struct ChannelSpliced {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "ChannelSpliced";
  ChannelId channel_id;
  ChannelVersion version;
  Balance balance_a;
  Balance balance_b;
  friend bool operator==(const ChannelSpliced&, const ChannelSpliced&) = default;
};
TALLY_DESCRIBE(ChannelSpliced, channel_id, version, balance_a, balance_b);

struct ChannelClosed {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "ChannelClosed";
  ChannelId channel_id;
  AccountId opener;
  AccountId counterparty;
  Ending ending{};
  ChannelVersion version;
  std::uint64_t receipts_count{};
  Payouts payouts;
  friend bool operator==(const ChannelClosed&, const ChannelClosed&) = default;
};
TALLY_DESCRIBE(ChannelClosed, channel_id, opener, counterparty, ending, version, receipts_count,
               payouts);

using Event =
    std::variant<ChannelOpened, ChannelAccepted, ChannelCancelled, ChallengeStarted,
                 ChallengeRefuted, FraudProved, DeadlineMoved, ChannelSpliced, ChannelClosed>;

}  // namespace tally::channels
