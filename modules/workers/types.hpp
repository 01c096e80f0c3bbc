// What a worker is on chain.
//
// Amounts are µCC. Times are chain time in milliseconds, except where a field says header time:
// what is compared with the times in a receipt, which are those of a clock, is header time (chain
// time may lag behind it).
//
// Stake. Own stake = bonded + unbonding, all held with reason worker_stake. A part of it may be
// frozen: it answers for a dispute and leaves only by that dispute's verdict. Freezing takes hold
// of bonded stake first. What covers a new task is `cover()`. A delegator's stake counts for
// ranking and the draw, and only a slash ever touches it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "primitives/balance.hpp"
#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/crypto/seal.hpp"
#include "primitives/ids.hpp"
#include "primitives/task/price.hpp"

namespace tally::workers {

constexpr std::size_t kMaxOffers = 16;       // types of task of one worker
constexpr std::size_t kMaxEndpoint = 128;    // bytes of "host:port"
constexpr std::size_t kMaxPool = 1'024;      // workers of one type and environment
constexpr std::size_t kMaxDelegators = 256;  // of one worker
constexpr std::size_t kMaxUnbonding = 16;    // parts of a stake on their way out
constexpr std::size_t kMaxRewards = 64;      // rewards of a worker that are not vested
constexpr std::size_t kMaxCouncil = 16;      // members
constexpr std::size_t kMaxMotions = 4;       // open motions that one member began
constexpr std::size_t kUptimeSlots = 720;    // heartbeats that uptime looks back on
constexpr std::size_t kUptimeBits = 728;     // those and the slot that is not over, in whole bytes
constexpr std::uint32_t kPenaltyFull = 1'000;  // takes any reputation to 0

// One type of task that a worker takes, as it says itself.
struct TaskOffer {
  task::TaskType type{};
  Balance price;                     // for every `per_units` metered units
  std::uint64_t per_units{};         // at least 1
  std::uint64_t units_per_second{};  // measured; for ranking, nobody relies on it
  friend bool operator==(const TaskOffer&, const TaskOffer&) = default;
};
TALLY_DESCRIBE(TaskOffer, type, price, per_units, units_per_second);

// What a worker says of itself.
struct Profile {
  std::string endpoint;  // "host:port" of its task service, at most kMaxEndpoint bytes
  SealKey seal_key;      // payloads are sealed to it
  Hash environment;      // task::executor_environment() of its executors
  BoundedVec<TaskOffer, kMaxOffers> offers;  // at least one; ascending by type, each type once
  friend bool operator==(const Profile&, const Profile&) = default;
};
TALLY_DESCRIBE(Profile, endpoint, seal_key, environment, offers);

// An offer as it stands in the worker's record.
struct Offer {
  task::TaskType type{};
  Hash environment;
  Balance price;
  std::uint64_t per_units{};
  std::uint64_t units_per_second{};
  TimestampMs since;  // header time; a new price keeps it, another environment does not
  friend bool operator==(const Offer&, const Offer&) = default;
};
TALLY_DESCRIBE(Offer, type, environment, price, per_units, units_per_second, since);

// A part of a stake that was taken back and waits.
struct Unbonding {
  Balance amount;
  TimestampMs until;
  friend bool operator==(const Unbonding&, const Unbonding&) = default;
};
TALLY_DESCRIBE(Unbonding, amount, until);
using UnbondingList = BoundedVec<Unbonding, kMaxUnbonding>;  // ascending by time

// A reward that the pool owes once it is vested; a slash or a ban before that cancels it.
struct Reward {
  Balance amount;
  TimestampMs vests_at;
  friend bool operator==(const Reward&, const Reward&) = default;
};
TALLY_DESCRIBE(Reward, amount, vests_at);

// A worker's record. It stays when the worker deregisters, so that neither a ban nor a history can
// be shed.
struct Worker {
  bool registered{};
  TimestampMs registered_at;                // header time of the last `register`
  BoundedVec<Offer, kMaxOffers> offers;     // ascending by type; none while not registered
  Balance bonded;                           // own
  UnbondingList unbonding;                  // own
  Balance frozen;                           // ≤ bonded + Σ unbonding
  Balance slash_due;                        // of frozen stake: burned as it thaws
  Balance delegated;                        // Σ of what delegators have bonded
  std::optional<TimestampMs> banned_until;  // in the past: not banned
  std::uint32_t done{};
  std::uint32_t failed{};
  BoundedVec<Reward, kMaxRewards> rewards;  // ascending by time

  Balance own() const {  // what is held of the worker for itself
    u128 sum = bonded.micro;
    for (const Unbonding& part : unbonding) sum += part.amount.micro;
    return Balance(sum);
  }
  Balance unfrozen() const { return Balance(own().micro - frozen.micro); }
  // Bonded stake that answers for a new task.
  Balance cover() const {
    return frozen < bonded ? Balance(bonded.micro - frozen.micro) : Balance{};
  }
  // Bonded and not owed to a slash, with what is delegated: for ranking and the draw.
  Balance effective() const {
    const u128 own_part = bonded.micro - (bonded < slash_due ? bonded : slash_due).micro;
    return Balance(own_part + delegated.micro);
  }
  bool is_banned(TimestampMs now) const { return banned_until && now < *banned_until; }
  const Offer* offer(task::TaskType type) const {
    for (const Offer& candidate : offers) {
      if (candidate.type == type) return &candidate;
    }
    return nullptr;
  }
  friend bool operator==(const Worker&, const Worker&) = default;
};
TALLY_DESCRIBE(Worker, registered, registered_at, offers, bonded, unbonding, frozen, slash_due,
               delegated, banned_until, done, failed, rewards);

// Which of the last slots (Config.heartbeat_interval long) had a heartbeat. Slot n's bit is bit
// n mod kUptimeBits.
struct Uptime {
  std::uint64_t first_slot{};  // of the first registration
  std::uint64_t last_slot{};   // of the last heartbeat
  TimestampMs last_seen;       // header time of the last heartbeat
  std::array<std::uint8_t, kUptimeBits / 8> beats{};
  friend bool operator==(const Uptime&, const Uptime&) = default;
};
TALLY_DESCRIBE(Uptime, first_slot, last_slot, last_seen, beats);

// What one account stands in for one worker with. Never empty.
struct Delegation {
  Balance bonded;
  UnbondingList unbonding;
  friend bool operator==(const Delegation&, const Delegation&) = default;
};
TALLY_DESCRIBE(Delegation, bonded, unbonding);

// The workers that take one type of task in one environment.
struct PoolId {
  task::TaskType type{};
  Hash environment;
  friend bool operator==(const PoolId&, const PoolId&) = default;
  friend auto operator<=>(const PoolId&, const PoolId&) = default;
};
TALLY_DESCRIBE(PoolId, type, environment);

enum class SlashReason : std::uint8_t {
  downtime = 0,
  invalid_result = 1,
  spam = 2,
  double_spend = 3,
  sybil = 4,
  malicious = 5,
};
TALLY_DESCRIBE_ENUM(SlashReason, downtime, invalid_result, spam, double_spend, sybil, malicious);

// A slash that council members have asked for, and not yet enough of them.
struct Motion {
  AccountId worker;
  SlashReason reason{};
  Hash evidence;  // of the document that tells why; two motions on one worker differ by it
  BoundedVec<AccountId, kMaxCouncil> approvals;  // the first is the member that began it
  TimestampMs expires_at;
  friend bool operator==(const Motion&, const Motion&) = default;
};
TALLY_DESCRIBE(Motion, worker, reason, evidence, approvals, expires_at);

// Who may slash.
struct Council {
  BoundedVec<AccountId, kMaxCouncil> members;  // each once
  std::uint32_t threshold{};                   // approvals that a slash needs; 0: nobody slashes
  friend bool operator==(const Council&, const Council&) = default;
};
TALLY_DESCRIBE(Council, members, threshold);

// Rewards granted in an epoch, and what disputes took from the reward pool, for their cap.
struct EpochRewards {
  Epoch epoch;
  Balance granted;  // both
  friend bool operator==(const EpochRewards&, const EpochRewards&) = default;
};
TALLY_DESCRIBE(EpochRewards, epoch, granted);

// From 0 to 1,000.
enum class Tier : std::uint8_t { restricted = 0, probation, standard, trusted, elite };
TALLY_DESCRIBE_ENUM(Tier, restricted, probation, standard, trusted, elite);

// How often a requester checks a worker's results by duty.
enum class AuditBand : std::uint8_t { every_task = 0, one_in_ten = 1, none = 2 };
TALLY_DESCRIBE_ENUM(AuditBand, every_task, one_in_ten, none);

}  // namespace tally::workers
