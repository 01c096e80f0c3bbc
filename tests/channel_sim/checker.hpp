// What an honest party is owed and what it must never do, worked out from what was seen on the wire
// and on the chain, with none of the party's or the module's predicates.
//
// Owed: the lowest of the newest co-signed state that the party held and of its own offers above
// that one, less one percent of what it gained. Its account must never be named a cheater.
//
// Never: two different things signed with one version, or one below what was signed; anything but a
// close after its own claim or refutation; anything but a close with the same balances after a
// close; anything at all, a close included, while a splice that it signed may still be included.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "client-sdk/channel/record.hpp"
#include "modules/channels/calls.hpp"
#include "modules/channels/events.hpp"

namespace tally::channel_sim {

class Checker {
 public:
  struct Setup {
    channels::Side side;
    AccountId account_a;
    AccountId account_b;
    Balance deposit_a;
    Balance deposit_b;
  };
  explicit Checker(const Setup& setup);

  // The party let this leave; it may be completed by the peer from now on.
  void sent(const channel::Message& message);
  // From its own account.
  void submitted(const channels::Call& call);
  // What it has signed is in its journal, whether or not it ever left.
  void wrote(const channel::Record& record);
  // The party finished a turn in which this reached it.
  void received(const channel::Message& message);
  void on_final_event(const channels::Event& event);
  void on_final_block(BlockNumber number);
  // It comes back from a backup, or with an old disk, which it cannot know. What it is owed is what
  // still exists: the newest of the update that came back and the one that its honest peer holds;
  // a dishonest one need not show it, and then it is the lowest that it signed since. It may lose
  // up to a credit more.
  struct Restore {
    std::optional<channels::CoSignedState> came_back;
    std::optional<channels::CoSignedState> at_peer;  // an honest one
    bool peer_is_honest{};
    bool party_knows{};
  };
  void was_restored(const Restore& restore);

  // What is wrong, if anything.
  const std::optional<std::string>& breach() const { return breach_; }
  bool closed() const { return closed_; }

 private:
  enum class Intent : std::uint8_t { update, close, splice };
  struct Signed {
    Intent intent;
    Bytes bytes;
    u128 mine;
  };
  void hold(const channels::CoSignedState& update);
  void offered(const channels::ChannelState& state);
  void offer(std::uint64_t version, u128 amount);
  bool signed_by_both(const channels::CoSignedState& update) const;
  bool proposed_here(const channels::ChannelState& state) const;
  void keeps(const channels::ChannelState& state, const std::string& what);
  void signs(const channels::ChannelState& state, Intent intent, Bytes bytes);
  void fail(const std::string& what);
  u128 owed_now() const;
  u128 mine(const channels::ChannelState& state) const;
  void check_payout(const channels::ChannelClosed& event);

  Setup setup_;
  std::uint64_t held_version_ = 0;
  u128 held_mine_;
  std::uint64_t floor_version_ = 0;  // the open, or the last splice
  u128 floor_mine_;
  i128 base_mine_;  // what I brought, splices included: gains are measured from here
  std::map<std::uint64_t, u128> offers_;  // mine, by version
  std::map<std::uint64_t, channels::SpliceBody> splices_;
  std::map<std::uint64_t, Signed> signed_;  // by version
  std::optional<u128> closing_;             // what a close that it signed gives it
  std::optional<channels::SpliceBody> splice_open_;
  bool claimed_ = false;
  bool restored_ = false;
  bool knows_ = false;  // that it was
  bool closed_ = false;
  std::optional<std::string> breach_;
};

}  // namespace tally::channel_sim
