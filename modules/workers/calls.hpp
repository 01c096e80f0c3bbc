// Calls of the workers module. The signer is the worker, unless the comment says otherwise.
#pragma once

#include <cstdint>
#include <variant>

#include "modules/support/context.hpp"
#include "modules/workers/types.hpp"

namespace tally::workers {

// Begins, or begins again. `stake` is added to what is bonded; together at least the minimum.
struct Register {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "register";
  Profile profile;
  Compact<Balance> stake;
  friend bool operator==(const Register&, const Register&) = default;
};
TALLY_DESCRIBE(Register, profile, stake);

// Replaces the profile. An offer that was there in the same environment keeps its `since`.
struct Update {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "update";
  Profile profile;
  friend bool operator==(const Update&, const Update&) = default;
};
TALLY_DESCRIBE(Update, profile);

// Takes no more tasks or duties; all bonded stake begins to unbond.
struct Deregister {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "deregister";
  friend bool operator==(const Deregister&, const Deregister&) = default;
};
TALLY_DESCRIBE(Deregister);

struct TopUp {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "top_up";
  Compact<Balance> amount;
  friend bool operator==(const TopUp&, const TopUp&) = default;
};
TALLY_DESCRIBE(TopUp, amount);

// A part of the bonded stake begins to unbond; the minimum stays.
struct Unstake {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "unstake";
  Compact<Balance> amount;
  friend bool operator==(const Unstake&, const Unstake&) = default;
};
TALLY_DESCRIBE(Unstake, amount);

// Anyone but the worker: stands in for it.
struct Delegate {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "delegate";
  AccountId worker;
  Compact<Balance> amount;
  friend bool operator==(const Delegate&, const Delegate&) = default;
};
TALLY_DESCRIBE(Delegate, worker, amount);

// A delegator: a part of its bonded delegation begins to unbond; the minimum stays, or nothing.
struct Undelegate {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "undelegate";
  AccountId worker;
  Compact<Balance> amount;
  friend bool operator==(const Undelegate&, const Undelegate&) = default;
};
TALLY_DESCRIBE(Undelegate, worker, amount);

// Gives back what has unbonded of the caller's stake in this worker: its own, or what it delegated.
// A worker also gets its vested rewards.
struct Withdraw {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "withdraw";
  AccountId worker;
  friend bool operator==(const Withdraw&, const Withdraw&) = default;
};
TALLY_DESCRIBE(Withdraw, worker);

// "I am here": one an interval counts. Vested rewards are paid with it.
struct Heartbeat {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "heartbeat";
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};
TALLY_DESCRIBE(Heartbeat);

// A member of the council: asks for a slash, or joins others that asked for the same. The approval
// that reaches the threshold carries it out.
struct ApproveSlash {
  static constexpr std::uint8_t kIndex = 9;
  static constexpr std::string_view kName = "approve_slash";
  AccountId worker;
  SlashReason reason{};
  Hash evidence;  // blake2_256 of the document that tells why
  friend bool operator==(const ApproveSlash&, const ApproveSlash&) = default;
};
TALLY_DESCRIBE(ApproveSlash, worker, reason, evidence);

using Call = std::variant<Register, Update, Deregister, TopUp, Unstake, Delegate, Undelegate,
                          Withdraw, Heartbeat, ApproveSlash>;

CallProperties properties(const Call& call);

}  // namespace tally::workers
