// Judges the chain's side of channels from calls, events and accounts, with none of the module's
// predicates:
//
//   - what a channel pays out is what it held, to the µCC; no credits come from anywhere;
//   - floors, standing versions and deadlines never fall; nothing settles before its time, which
//     is longer while the lane is busy;
//   - a refutation leaves half a period to answer it, up to twice the period from the start;
//   - a cheater is one that posted less than it held and nobody else, and is left with nothing;
//   - without a cheater and a penalty each side gets what stands, the one that gained less 1%;
//   - a splice is not included after its last block, and not under a challenge.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "modules/channels/calls.hpp"
#include "modules/channels/events.hpp"
#include "primitives/strong.hpp"

namespace tally::channel_sim {

class ChainChecker {
 public:
  struct Moment {
    std::uint64_t block;
    std::uint64_t time;
    std::uint64_t stretch;  // per thousand
  };
  // An applied call, or nothing for what a block's start did, and the events that it gave.
  void applied(const Moment& now, const AccountId& signer, const channels::Call* call,
               const std::vector<channels::Event>& events);
  // What all accounts own together, the reward pool included.
  void ledger(u128 total);

  const std::optional<std::string>& breach() const { return breach_; }
  std::uint64_t settled_in(std::uint64_t block) const {
    const auto found = settled_.find(block);
    return found == settled_.end() ? 0 : found->second;
  }

 private:
  struct Watched {
    AccountId a;
    AccountId b;
    std::uint64_t period;
    u128 held;
    i128 base_b;
    std::uint64_t floor = 0;
    u128 floor_b;
    // In a challenge.
    bool challenged = false;
    std::optional<int> requester;  // 0: a
    bool refuted = false;
    std::uint64_t started = 0;
    std::uint64_t wait = 0;
    std::uint64_t deadline = 0;
    std::uint64_t standing = 0;
    u128 standing_b = 0;
    std::optional<std::uint64_t> posted[2];
    bool cheated[2] = {false, false};
  };
  void check(bool holds, const std::string& what);
  void started(const Moment& now, const channels::ChallengeStarted& event,
               const channels::CoSignedState* claim);
  void refuted(const Moment& now, const AccountId& signer, const channels::ChallengeRefuted& event,
               const channels::ChannelState& w);
  void fraud(const channels::FraudProved& event, const channels::ChannelState& w,
             const Watched& before);
  void spliced(const Moment& now, const channels::ChannelSpliced& event,
               const channels::SpliceBody& body);
  void closed(const Moment& now, const channels::ChannelClosed& event, const channels::Call* call);

  std::map<ChannelId, Watched> watched_;
  std::map<std::uint64_t, std::uint64_t> settled_;
  std::optional<u128> total_;
  u128 burned_ = 0;
  std::optional<std::string> breach_;
};

}  // namespace tally::channel_sim
