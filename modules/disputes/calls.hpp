// Calls of the disputes module.
//
// accept, commit, reveal and appeal are operational: a quarter of every block is kept for them and
// their like, so that a full block cannot make anybody late.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "modules/disputes/types.hpp"
#include "modules/support/context.hpp"
#include "primitives/task/mandate.hpp"

namespace tally::disputes {

// What the receipt's channel id was made from, beside its two parties.
struct ChannelOrigin {
  bool opened_by_worker{};
  std::uint64_t counter{};  // the opener's, of that channel
  DurationMs challenge_period;
  friend bool operator==(const ChannelOrigin&, const ChannelOrigin&) = default;
};
TALLY_DESCRIBE(ChannelOrigin, opened_by_worker, counter, challenge_period);

// By the requester that the receipt names, or the bearer of its mandate.
struct Challenge {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "challenge";
  task::SignedReceipt receipt;
  ChannelOrigin channel;
  Bytes spec;  // at most kMaxSpec
  TaskInput input;
  std::string reason;  // for people, at most kMaxReason bytes
  std::optional<task::SignedMandate> mandate;
  friend bool operator==(const Challenge&, const Challenge&) = default;
};
TALLY_DESCRIBE(Challenge, receipt, channel, spec, input, reason, mandate);

// A drawn verifier takes its seat; its fine is frozen.
struct Accept {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "accept";
  DisputeNumber number;
  friend bool operator==(const Accept&, const Accept&) = default;
};
TALLY_DESCRIBE(Accept, number);

// A verifier binds itself to a vote that nobody can read: commitment_of (ballot.hpp).
struct Commit {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "commit";
  DisputeNumber number;
  Hash commitment;
  friend bool operator==(const Commit&, const Commit&) = default;
};
TALLY_DESCRIBE(Commit, number, commitment);

struct Reveal {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "reveal";
  DisputeNumber number;
  Vote vote;
  Salt salt{};
  friend bool operator==(const Reveal&, const Reveal&) = default;
};
TALLY_DESCRIBE(Reveal, number, vote, salt);

// The loser of a verdict calls a larger panel, at double bond.
struct AppealCall {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "appeal";
  DisputeNumber number;
  friend bool operator==(const AppealCall&, const AppealCall&) = default;
};
TALLY_DESCRIBE(AppealCall, number);

using Call = std::variant<Challenge, Accept, Commit, Reveal, AppealCall>;

bool is_operational(const Call& call);
CallProperties properties(const Call& call);

}  // namespace tally::disputes
