// Events of the workers module. Movements of credits are told by the credits module beside these.
#pragma once

#include <variant>

#include "modules/workers/types.hpp"

namespace tally::workers {

struct WorkerRegistered {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "WorkerRegistered";
  AccountId worker;
  Profile profile;
  Balance stake;  // that came with it
  friend bool operator==(const WorkerRegistered&, const WorkerRegistered&) = default;
};
TALLY_DESCRIBE(WorkerRegistered, worker, profile, stake);

struct WorkerUpdated {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "WorkerUpdated";
  AccountId worker;
  Profile profile;
  friend bool operator==(const WorkerUpdated&, const WorkerUpdated&) = default;
};
TALLY_DESCRIBE(WorkerUpdated, worker, profile);

struct WorkerDeregistered {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "WorkerDeregistered";
  AccountId worker;
  friend bool operator==(const WorkerDeregistered&, const WorkerDeregistered&) = default;
};
TALLY_DESCRIBE(WorkerDeregistered, worker);

// `by` is the worker itself or a delegator.
struct StakeAdded {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "StakeAdded";
  AccountId worker;
  AccountId by;
  Balance amount;
  friend bool operator==(const StakeAdded&, const StakeAdded&) = default;
};
TALLY_DESCRIBE(StakeAdded, worker, by, amount);

struct StakeUnbonding {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "StakeUnbonding";
  AccountId worker;
  AccountId by;
  Balance amount;
  TimestampMs until;
  friend bool operator==(const StakeUnbonding&, const StakeUnbonding&) = default;
};
TALLY_DESCRIBE(StakeUnbonding, worker, by, amount, until);

struct StakeWithdrawn {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "StakeWithdrawn";
  AccountId worker;
  AccountId by;
  Balance amount;
  friend bool operator==(const StakeWithdrawn&, const StakeWithdrawn&) = default;
};
TALLY_DESCRIBE(StakeWithdrawn, worker, by, amount);

struct HeartbeatSeen {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "HeartbeatSeen";
  AccountId worker;
  friend bool operator==(const HeartbeatSeen&, const HeartbeatSeen&) = default;
};
TALLY_DESCRIBE(HeartbeatSeen, worker);

struct SlashApproved {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "SlashApproved";
  AccountId worker;
  SlashReason reason{};
  Hash evidence;
  AccountId member;
  std::uint32_t approvals{};
  friend bool operator==(const SlashApproved&, const SlashApproved&) = default;
};
TALLY_DESCRIBE(SlashApproved, worker, reason, evidence, member, approvals);

// What was burned. `due` is burned as the frozen part of the stake thaws.
struct WorkerSlashed {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "WorkerSlashed";
  AccountId worker;
  SlashReason reason{};
  Balance own;
  Balance delegated;
  Balance due;
  friend bool operator==(const WorkerSlashed&, const WorkerSlashed&) = default;
};
TALLY_DESCRIBE(WorkerSlashed, worker, reason, own, delegated, due);

struct WorkerBanned {
  static constexpr std::uint8_t kIndex = 9;
  static constexpr std::string_view kName = "WorkerBanned";
  AccountId worker;
  TimestampMs until;
  friend bool operator==(const WorkerBanned&, const WorkerBanned&) = default;
};
TALLY_DESCRIBE(WorkerBanned, worker, until);

struct PenaltyAdded {
  static constexpr std::uint8_t kIndex = 10;
  static constexpr std::string_view kName = "PenaltyAdded";
  AccountId account;
  std::uint32_t points{};
  std::uint32_t total{};
  friend bool operator==(const PenaltyAdded&, const PenaltyAdded&) = default;
};
TALLY_DESCRIBE(PenaltyAdded, account, points, total);

struct StakeFrozen {
  static constexpr std::uint8_t kIndex = 11;
  static constexpr std::string_view kName = "StakeFrozen";
  AccountId worker;
  Balance amount;
  friend bool operator==(const StakeFrozen&, const StakeFrozen&) = default;
};
TALLY_DESCRIBE(StakeFrozen, worker, amount);

// Back to where it was, less what a slash was owed of it.
struct StakeThawed {
  static constexpr std::uint8_t kIndex = 12;
  static constexpr std::string_view kName = "StakeThawed";
  AccountId worker;
  Balance amount;
  Balance burned;
  friend bool operator==(const StakeThawed&, const StakeThawed&) = default;
};
TALLY_DESCRIBE(StakeThawed, worker, amount, burned);

// How many tasks a co-operative close counted, or a dispute (then one, without counterparty).
struct TasksCounted {
  static constexpr std::uint8_t kIndex = 13;
  static constexpr std::string_view kName = "TasksCounted";
  AccountId worker;
  std::optional<AccountId> counterparty;
  std::uint32_t done{};
  std::uint32_t failed{};
  friend bool operator==(const TasksCounted&, const TasksCounted&) = default;
};
TALLY_DESCRIBE(TasksCounted, worker, counterparty, done, failed);

struct RewardGranted {
  static constexpr std::uint8_t kIndex = 14;
  static constexpr std::string_view kName = "RewardGranted";
  AccountId worker;
  Balance amount;
  TimestampMs vests_at;
  friend bool operator==(const RewardGranted&, const RewardGranted&) = default;
};
TALLY_DESCRIBE(RewardGranted, worker, amount, vests_at);

// Vested rewards were due, and this is what the pool had for them.
struct RewardPaid {
  static constexpr std::uint8_t kIndex = 15;
  static constexpr std::string_view kName = "RewardPaid";
  AccountId worker;
  Balance due;
  Balance paid;
  friend bool operator==(const RewardPaid&, const RewardPaid&) = default;
};
TALLY_DESCRIBE(RewardPaid, worker, due, paid);

struct RewardsLost {
  static constexpr std::uint8_t kIndex = 16;
  static constexpr std::string_view kName = "RewardsLost";
  AccountId worker;
  Balance amount;
  friend bool operator==(const RewardsLost&, const RewardsLost&) = default;
};
TALLY_DESCRIBE(RewardsLost, worker, amount);

using Event = std::variant<WorkerRegistered, WorkerUpdated, WorkerDeregistered, StakeAdded,
                           StakeUnbonding, StakeWithdrawn, HeartbeatSeen, SlashApproved,
                           WorkerSlashed, WorkerBanned, PenaltyAdded, StakeFrozen, StakeThawed,
                           TasksCounted, RewardGranted, RewardPaid, RewardsLost>;

}  // namespace tally::workers
