// Events of the disputes module: they tell a follower everything but the case itself, which stands
// in the state (storage.hpp) and in the challenge.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "modules/disputes/types.hpp"

namespace tally::disputes {

struct Challenged {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Challenged";
  DisputeNumber number;
  Hash receipt_hash;
  AccountId challenger;
  AccountId worker;
  task::TaskType type{};
  Hash environment;
  Balance fee;
  Balance bond;
  Balance stake;  // of the worker's, frozen
  friend bool operator==(const Challenged&, const Challenged&) = default;
};
TALLY_DESCRIBE(Challenged, number, receipt_hash, challenger, worker, type, environment, fee, bond,
               stake);

// These verifiers are called; each may accept until accept_by.
struct Drawn {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Drawn";
  DisputeNumber number;
  Round round{};
  DrawSource source;
  std::vector<AccountId> verifiers;
  TimestampMs accept_by;
  TimestampMs commit_by;
  friend bool operator==(const Drawn&, const Drawn&) = default;
};
TALLY_DESCRIBE(Drawn, number, round, source, verifiers, accept_by, commit_by);

struct Accepted {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Accepted";
  DisputeNumber number;
  AccountId verifier;
  friend bool operator==(const Accepted&, const Accepted&) = default;
};
TALLY_DESCRIBE(Accepted, number, verifier);

// A verifier did not accept; the next of the draw is called in its place, if one is left.
struct Replaced {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "Replaced";
  DisputeNumber number;
  AccountId verifier;
  std::optional<AccountId> by;
  TimestampMs accept_by;
  TimestampMs commit_by;
  friend bool operator==(const Replaced&, const Replaced&) = default;
};
TALLY_DESCRIBE(Replaced, number, verifier, by, accept_by, commit_by);

struct Committed {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "Committed";
  DisputeNumber number;
  AccountId verifier;
  Hash commitment;
  friend bool operator==(const Committed&, const Committed&) = default;
};
TALLY_DESCRIBE(Committed, number, verifier, commitment);

struct RevealStarted {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "RevealStarted";
  DisputeNumber number;
  TimestampMs reveal_by;
  friend bool operator==(const RevealStarted&, const RevealStarted&) = default;
};
TALLY_DESCRIBE(RevealStarted, number, reveal_by);

struct Revealed {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "Revealed";
  DisputeNumber number;
  AccountId verifier;
  Vote vote;
  friend bool operator==(const Revealed&, const Revealed&) = default;
};
TALLY_DESCRIBE(Revealed, number, verifier, vote);

// A verdict that its loser may appeal against until then.
struct Decided {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "Decided";
  DisputeNumber number;
  Verdict verdict;
  TimestampMs appeal_by;
  friend bool operator==(const Decided&, const Decided&) = default;
};
TALLY_DESCRIBE(Decided, number, verdict, appeal_by);

struct Appealed {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "Appealed";
  DisputeNumber number;
  Party by{};
  Balance bond;
  friend bool operator==(const Appealed&, const Appealed&) = default;
};
TALLY_DESCRIBE(Appealed, number, by, bond);

// The lane for operational calls was busy: the phase ends later.
struct DeadlineMoved {
  static constexpr std::uint8_t kIndex = 9;
  static constexpr std::string_view kName = "DeadlineMoved";
  DisputeNumber number;
  TimestampMs deadline;
  friend bool operator==(const DeadlineMoved&, const DeadlineMoved&) = default;
};
TALLY_DESCRIBE(DeadlineMoved, number, deadline);

struct VerifierPaid {
  static constexpr std::uint8_t kIndex = 10;
  static constexpr std::string_view kName = "VerifierPaid";
  DisputeNumber number;
  AccountId verifier;
  Balance amount;
  friend bool operator==(const VerifierPaid&, const VerifierPaid&) = default;
};
TALLY_DESCRIBE(VerifierPaid, number, verifier, amount);

struct VerifierFined {
  static constexpr std::uint8_t kIndex = 11;
  static constexpr std::string_view kName = "VerifierFined";
  DisputeNumber number;
  AccountId verifier;
  Balance amount;
  friend bool operator==(const VerifierFined&, const VerifierFined&) = default;
};
TALLY_DESCRIBE(VerifierFined, number, verifier, amount);

struct Ended {
  static constexpr std::uint8_t kIndex = 12;
  static constexpr std::string_view kName = "Ended";
  DisputeNumber number;
  Verdict verdict;
  Payouts payouts;
  friend bool operator==(const Ended&, const Ended&) = default;
};
TALLY_DESCRIBE(Ended, number, verdict, payouts);

using Event =
    std::variant<Challenged, Drawn, Accepted, Replaced, Committed, RevealStarted, Revealed, Decided,
                 Appealed, DeadlineMoved, VerifierPaid, VerifierFined, Ended>;

}  // namespace tally::disputes
