// What an honest party is owed, worked out from what was seen on the wire and on the chain, with
// none of the party's or the module's predicates.
//
// Owed: the lowest of the newest co-signed state that the party held and of its own offers above
// that one, less one percent of what it gained. Its account must never be named a cheater.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "client-sdk/channel/messages.hpp"
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
  // An offer of its own that is in its journal, whether or not it ever left.
  void offered(const channels::ChannelState& state);
  // The party finished a turn in which this reached it.
  void received(const channel::Message& message);
  void on_final_event(const channels::Event& event);
  // It comes back from a backup. What it is owed is what still exists: the newest of the update in
  // the backup and the one that its honest peer holds. It may lose up to a credit more.
  void was_restored(const std::optional<channels::CoSignedState>& from_backup,
                    const std::optional<channels::CoSignedState>& at_peer);

  // What is wrong, if anything.
  const std::optional<std::string>& breach() const { return breach_; }
  bool closed() const { return closed_; }

 private:
  void hold(const channels::CoSignedState& update);
  bool signed_by_both(const channels::CoSignedState& update) const;
  void keeps(const channels::ChannelState& state, const std::string& what);
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
  bool restored_ = false;
  bool closed_ = false;
  std::optional<std::string> breach_;
};

}  // namespace tally::channel_sim
